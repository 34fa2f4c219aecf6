#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "cleanup.h"
#include "media_type.h"
#include "merge.h"
#include "merge_text.h"

/* Three tags as merge_text.h writes them, and what they become. */
struct merge_case {
	const char *what, *base, *ours, *theirs;
	const char *result; /* NULL where there is a conflict */
	const char *swapped; /* with ours and theirs changed over; NULL: the same */
	const char *conflicts; /* their paths, with " | " between them */
	const char *by_ours, *by_theirs; /* the result where all conflicts are settled so */
	size_t fetched; /* how many manifests were asked for */
	const char *platform; /* of the sides that are a single manifest with an image config */
};

/* One result, one for each direction, or a conflict. What follows are further members. */
#define MERGED(what_, base_, ours_, theirs_, result_, ...)                                         \
	{                                                                                          \
		.what = (what_), .base = (base_), .ours = (ours_), .theirs = (theirs_),            \
		.result = (result_), __VA_ARGS__                                                   \
	}
#define EITHER(what_, base_, ours_, theirs_, result_, swapped_, ...)                               \
	{                                                                                          \
		.what = (what_), .base = (base_), .ours = (ours_), .theirs = (theirs_),            \
		.result = (result_), .swapped = (swapped_), __VA_ARGS__                            \
	}
#define CLASH(what_, base_, ours_, theirs_, conflicts_, by_ours_, by_theirs_, ...)                 \
	{                                                                                          \
		.what = (what_), .base = (base_), .ours = (ours_), .theirs = (theirs_),            \
		.conflicts = (conflicts_), .by_ours = (by_ours_), .by_theirs = (by_theirs_),       \
		__VA_ARGS__                                                                        \
	}

#define A1 "linux-amd64{ app=1 }"
#define A2 "linux-amd64{ app=2 }"
#define A3 "linux-amd64{ app=3 }"
#define B1 "linux-arm64{ app=b }"
#define C1 "darwin-arm64{ app=c }"
#define D1 "windows-amd64{ app=d }"

static const struct merge_case entry_cases[] = {
	MERGED("nothing changed", A1, A1, A1, A1),
	MERGED("changed alike", A1, A2, A2, A2),
	MERGED("one adds an entry", A1, A1 " " B1, A1, A1 " " B1),
	EITHER("both add an entry", A1, A1 " " B1, A1 " " C1, A1 " " C1 " " B1, A1 " " B1 " " C1),
	MERGED("both add the same entry", A1, A1 " " B1, A1 " " B1 " " C1, A1 " " B1 " " C1),
	MERGED("one adds, one removes", A1 " " B1, A1 " " B1 " " C1, B1, B1 " " C1),
	MERGED("both remove one", A1 " " B1 " " C1, B1 " " C1, A1 " " C1, C1),
	MERGED("one changes, one adds", A1, A2, A1 " " B1, A2 " " B1),
	MERGED("each changes another entry", A1 " " B1, A2 " " B1, A1 " linux-arm64{ app=x }",
		A2 " linux-arm64{ app=x }"),
	CLASH("removed and changed", A1 " " B1, B1, A2 " " B1, "linux-amd64", B1, A2 " " B1),
	CLASH("removed and annotated", A1 " " B1, B1, "linux-amd64{ app=1 $d@k=v } " B1,
		"linux-amd64", B1, "linux-amd64{ app=1 $d@k=v } " B1),
	MERGED("renamed by one, another changed", A1 " " B1, "linux-386{ app=1 } " B1,
		A1 " linux-arm64{ app=x }", "linux-386{ app=1 } linux-arm64{ app=x }"),
	CLASH("renamed by one, changed by one", A1, "linux-386{ app=1 }", A2, "linux-amd64",
		"linux-386{ app=1 }", A2 " linux-386{ app=1 }"),
	EITHER("renamed by both in different ways", A1, "linux-386{ app=1 }", "linux-arm{ app=1 }",
		"linux-arm{ app=1 } linux-386{ app=1 }", "linux-386{ app=1 } linux-arm{ app=1 }"),
	MERGED("an os.version makes another entry", "darwin-arm64@macOS.12{ a=1 }",
		"darwin-arm64@macOS.12{ a=1 } darwin-arm64@macOS.13{ a=2 }",
		"darwin-arm64@macOS.12{ a=3 }",
		"darwin-arm64@macOS.12{ a=3 } darwin-arm64@macOS.13{ a=2 }"),
	MERGED("a variant makes another entry", "linux-arm-v6{ a=1 } linux-arm-v7{ a=1 }",
		"linux-arm-v6{ a=2 } linux-arm-v7{ a=1 }",
		"linux-arm-v6{ a=1 } linux-arm-v7{ a=3 }",
		"linux-arm-v6{ a=2 } linux-arm-v7{ a=3 }"),
};

static const struct merge_case order_cases[] = {
	MERGED("one moves", A1 " " B1 " " C1, C1 " " A1 " " B1, A1 " " B1 " " C1, C1 " " A1 " " B1),
	MERGED("one moves, one changes", A1 " " B1 " " C1, C1 " " A1 " " B1, A2 " " B1 " " C1,
		C1 " " A2 " " B1),
	MERGED("one moves, one adds", A1 " " B1 " " C1, C1 " " A1 " " B1, A1 " " B1 " " C1 " " D1,
		C1 " " A1 " " B1 " " D1),
	MERGED("one moves, one removes", A1 " " B1 " " C1, C1 " " A1 " " B1, A1 " " C1, C1 " " A1),
	EITHER("both move: theirs", A1 " " B1 " " C1, C1 " " A1 " " B1, B1 " " A1 " " C1,
		B1 " " A1 " " C1, C1 " " A1 " " B1),
	MERGED("both move alike, one adds", A1 " " B1, B1 " " A1, B1 " " A1 " " C1,
		B1 " " A1 " " C1),
	MERGED("one puts one first, one changes", A1 " " B1, C1 " " A1 " " B1, A2 " " B1,
		C1 " " A2 " " B1),
	MERGED("layers: one moves, one adds", "any{ a=1 b=2 }", "any{ b=2 a=1 }",
		"any{ a=1 b=2 c=3 }", "any{ b=2 a=1 c=3 }", .fetched = 3),
	EITHER("layers: both add", "any{ a=1 }", "any{ a=1 b=2 }", "any{ a=1 c=3 }",
		"any{ a=1 c=3 b=2 }", "any{ a=1 b=2 c=3 }", .fetched = 3),
};

#define M(inside) "linux-amd64{ " inside " }"

static const struct merge_case manifest_cases[] = {
	MERGED("each changes another layer", M("a=1 b=1"), M("a=2 b=1"), M("a=1 b=2"), M("a=2 b=2"),
		.fetched = 3),
	MERGED("one adds, one removes a layer", M("a=1 b=1"), M("a=1 b=1 c=1"), M("b=1"),
		M("b=1 c=1"), .fetched = 3),
	EITHER("both add the same layer", M("a=1"), M("a=1 b=1 c=1"), M("a=1 b=1 d=1"),
		M("a=1 b=1 d=1 c=1"), M("a=1 b=1 c=1 d=1"), .fetched = 3),
	CLASH("both change a layer", M("a=1 b=1"), M("a=2 b=1 c=1"), M("a=3 b=1"), "linux-amd64/a",
		M("a=2 b=1 c=1"), M("a=3 b=1 c=1"), .fetched = 3),
	CLASH("both add a layer differently", M("a=1"), M("a=1 b=1"), M("a=1 b=2"), "linux-amd64/b",
		M("a=1 b=1"), M("a=1 b=2"), .fetched = 3),
	CLASH("a layer removed and changed", M("a=1 b=1"), M("b=1 c=1"), M("a=2 b=1"),
		"linux-amd64/a", M("b=1 c=1"), M("a=2 b=1 c=1"), .fetched = 3),
	CLASH("layers in folders", M("d/a=1 d/b=1"), M("d/a=2 d/b=1"), M("d/a=3 d/b=1 d/c=1"),
		"linux-amd64/d/a", M("d/a=2 d/b=1 d/c=1"), M("d/a=3 d/b=1 d/c=1"), .fetched = 3),
	EITHER("a layer renamed, another added", M("a=1"), M("b=1"), M("a=1 c=1"), M("c=1 b=1"),
		M("b=1 c=1"), .fetched = 3),
	EITHER("layers without titles", M(":1 :2"), M(":1 :2 :3"), M(":2 :4"), M(":2 :4 :3"),
		M(":2 :3 :4"), .fetched = 3),
	CLASH("an untitled layer removed and annotated", M(":1 :2"), M(":2 :3"), M(":1 @k=v :2"),
		"linux-amd64/sha256-6b86b273ff34", M(":2 :3"), M(":1 @k=v :2 :3"), .fetched = 3),
	MERGED("the config by one", M("a=1"), M("a=1 $config=2"), M("a=1 b=1"),
		M("a=1 b=1 $config=2"), .fetched = 3),
	CLASH("the config by both", M("a=1"), M("a=1 $config=2"), M("a=1 $config=3"),
		"linux-amd64/config", M("a=1 $config=2"), M("a=1 $config=3"), .fetched = 3),
	MERGED("artifactType by one", M("a=1 $type=t/1"), M("a=1 $type=t/2"), M("a=2 $type=t/1"),
		M("a=2 $type=t/2"), .fetched = 3),
	CLASH("artifactType by both", M("a=1 $type=t/1"), M("a=1 $type=t/2"), M("a=1 $type=t/3"),
		"linux-amd64/.oci/artifact-type", M("a=1 $type=t/2"), M("a=1 $type=t/3"),
		.fetched = 3),
	MERGED("artifactType removed by one", M("a=1 $type=t/1"), M("a=1"), M("a=2 $type=t/1"),
		M("a=2"), .fetched = 3),
	MERGED("subject by one", M("a=1"), M("a=1 $subject=s"), M("a=2"), M("a=2 $subject=s"),
		.fetched = 3),
	CLASH("subject by both", M("a=1"), M("a=1 $subject=s"), M("a=1 $subject=t"),
		"linux-amd64/.oci/subject", M("a=1 $subject=s"), M("a=1 $subject=t"), .fetched = 3),
	CLASH("subject removed and changed", M("a=1 $subject=s"), M("a=1"), M("a=1 $subject=t"),
		"linux-amd64/.oci/subject", M("a=1"), M("a=1 $subject=t"), .fetched = 3),
	MERGED("unknown members by one", M("a=1 $x=1"), M("a=1 $x=2"), M("a=2 $x=1"), M("a=2 $x=2"),
		.fetched = 3),
	CLASH("unknown members by both", M("a=1 $x=1"), M("a=1 $x=2"), M("a=1 $x=3"),
		"linux-amd64/.oci/manifest.json", M("a=1 $x=2"), M("a=1 $x=3"), .fetched = 3),
	CLASH("all at once", M("a=1 b=1 $config=1 $m@k=1"), M("a=2 b=1 $config=2 $m@k=2 $d@k=2"),
		M("a=3 b=1 $config=3 $m@k=3 $d@k=3"),
		"linux-amd64/annotations.json: $manifest: k | linux-amd64/config | linux-amd64/a | "
		"linux-amd64/annotations.json: $descriptor: k",
		M("a=2 b=1 $config=2 $m@k=2 $d@k=2"), M("a=3 b=1 $config=3 $m@k=3 $d@k=3"),
		.fetched = 3),
};

static const struct merge_case annotation_cases[] = {
	EITHER("index: different keys", A1, A1 " @a=1", A1 " @b=2", A1 " @b=2 @a=1",
		A1 " @a=1 @b=2"),
	MERGED("index: changed and added", A1 " @a=1 @b=1", A1 " @a=2 @b=1", A1 " @a=1 @b=1 @c=1",
		A1 " @a=2 @b=1 @c=1"),
	CLASH("index: removed and changed", A1 " @a=1", A1, A1 " @a=2", "annotations.json: a", A1,
		A1 " @a=2"),
	CLASH("index: both differently", A1 " @a=1", A1 " @a=2", A1 " @a=3", "annotations.json: a",
		A1 " @a=2", A1 " @a=3"),
	CLASH("index: both added differently", A1, A1 " @a=2", A1 " @a=3", "annotations.json: a",
		A1 " @a=2", A1 " @a=3"),
	MERGED("index: both removed", A1 " @a=1 @b=1", A1 " @b=1", A1 " @c=1", A1 " @c=1"),
	MERGED("index: artifactType and unknown members", A1 " $type=t/1 $x=1",
		A1 " $type=t/2 $x=1", A1 " $type=t/1 $x=2", A1 " $type=t/2 $x=2"),
	CLASH("index: artifactType by both", A1 " $type=t/1", A1 " $type=t/2", A1,
		".oci/artifact-type", A1 " $type=t/2", A1),
	CLASH("index: unknown members by both", A1 " $x=1", A1 " $x=2", A1 " $x=3",
		".oci/index.json", A1 " $x=2", A1 " $x=3"),
	EITHER("descriptor: different keys, no manifest", M("a=1"), M("a=1 $d@a=1"),
		M("a=1 $d@b=1"), M("a=1 $d@b=1 $d@a=1"), M("a=1 $d@a=1 $d@b=1")),
	MERGED("descriptor: beside another's content", M("a=1"), M("a=1 $d@a=1"),
		M("a=2 $type=t/1"), M("a=2 $type=t/1 $d@a=1")),
	CLASH("descriptor: both differently", M("a=1 $d@k=1"), M("a=1 $d@k=2"), M("a=2"),
		"linux-amd64/annotations.json: $descriptor: k", M("a=2 $d@k=2"), M("a=2")),
	MERGED("descriptor: unknown members by one", M("a=1 $dx=1"), M("a=1 $dx=2"), M("a=2 $dx=1"),
		M("a=2 $dx=2")),
	CLASH("descriptor: unknown members by both", M("a=1 $dx=1"), M("a=1 $dx=2"), M("a=1 $dx=3"),
		"linux-amd64/.oci/descriptor.json", M("a=1 $dx=2"), M("a=1 $dx=3")),
	EITHER("manifest: different keys", M("a=1"), M("a=1 $m@a=1"), M("a=1 $m@b=1"),
		M("a=1 $m@b=1 $m@a=1"), M("a=1 $m@a=1 $m@b=1"), .fetched = 3),
	CLASH("manifest: both differently", M("a=1"), M("a=1 $m@k=1"), M("a=2 $m@k=2"),
		"linux-amd64/annotations.json: $manifest: k", M("a=2 $m@k=1"), M("a=2 $m@k=2"),
		.fetched = 3),
	MERGED("config: beside another's content", M("a=1"), M("a=1 $c@k=1"), M("a=1 $config=2"),
		M("a=1 $config=2 $c@k=1"), .fetched = 3),
	CLASH("config: both differently", M("a=1 $c@k=1"), M("a=1 $c@k=2"), M("a=1"),
		"linux-amd64/annotations.json: $config: k", M("a=1 $c@k=2"), M("a=1"),
		.fetched = 3),
	EITHER("layer: different keys", M("a=1"), M("a=1 @x=1"), M("a=1 @y=1"), M("a=1 @y=1 @x=1"),
		M("a=1 @x=1 @y=1"), .fetched = 3),
	MERGED("layer: beside another's content", M("a=1"), M("a=1 @x=1"), M("a=2"), M("a=2 @x=1"),
		.fetched = 3),
	EITHER("layer: added on both sides", M("a=1"), M("a=1 b=1 @x=1"), M("a=1 b=1 @y=1"),
		M("a=1 b=1 @y=1 @x=1"), M("a=1 b=1 @x=1 @y=1"), .fetched = 3),
	CLASH("layer: both differently", M("a=1 @x=1"), M("a=1 @x=2"), M("a=1 @x=3"),
		"linux-amd64/annotations.json: a: x", M("a=1 @x=2"), M("a=1 @x=3"), .fetched = 3),
	CLASH("layer: removed and annotated", M("a=1 b=1"), M("b=1"), M("a=1 @x=1 b=1"),
		"linux-amd64/a", M("b=1"), M("a=1 @x=1 b=1"), .fetched = 3),
	CLASH("layer: a title like a part", M("'$m=1 @k=1"), M("'$m=1 @k=2"), M("'$m=1 @k=3"),
		"linux-amd64/annotations.json: ./$m: k", M("'$m=1 @k=2"), M("'$m=1 @k=3"),
		.fetched = 3),
};

#define ANY1 "any{ a=1 }"

static const struct merge_case identity_cases[] = {
	MERGED("any: changed by one", ANY1 " " A1, "any{ a=2 } " A1, ANY1 " " A2, "any{ a=2 } " A2),
	MERGED("any: changed by both", ANY1, "any{ a=1 b=1 }", "any{ a=2 }", "any{ a=2 b=1 }",
		.fetched = 3),
	EITHER("any: both add others", ANY1, ANY1 " any{ b=1 }", ANY1 " any{ c=1 }",
		ANY1 " any{ c=1 } any{ b=1 }", ANY1 " any{ b=1 } any{ c=1 }"),
	MERGED("any: several, one replaced", ANY1 " any{ b=1 }", ANY1 " any{ b=2 }",
		ANY1 " any{ b=1 } " A1, ANY1 " any{ b=2 } " A1),
	MERGED("twins: the second changed, the first changed", A1 " " A2,
		A1 " linux-amd64{ app=x }", "linux-amd64{ app=y } " A2,
		"linux-amd64{ app=y } linux-amd64{ app=x }"),
	MERGED("twins: one removed, one added", A1 " " A2, A2, A1 " " A2 " " A3, A2 " " A3),
	MERGED("twins: changed over", A1 " " A2, A2 " " A1, A1 " " A2 " " B1, A2 " " A1 " " B1),
	CLASH("twins: the same one by both", A1 " " A2, A1 " linux-amd64{ app=x }",
		A1 " linux-amd64{ app=y }", "linux-amd64~/app", A1 " linux-amd64{ app=x }",
		A1 " linux-amd64{ app=y }", .fetched = 3),
	MERGED("attestations stay", A1 " unknown-unknown{ :1 }", A1 " unknown-unknown{ :1 } " B1,
		A2 " unknown-unknown{ :1 }", A2 " unknown-unknown{ :1 } " B1),
	EITHER("attestations by digest", A1 " unknown-unknown{ :1 }", A1 " unknown-unknown{ :2 }",
		A1 " unknown-unknown{ :3 }", A1 " unknown-unknown{ :3 } unknown-unknown{ :2 }",
		A1 " unknown-unknown{ :2 } unknown-unknown{ :3 }"),
	MERGED("nested indexes by digest", A1 " nested=1", A1 " nested=2", A2 " nested=1",
		A2 " nested=2"),
};

static const struct merge_case tag_cases[] = {
	EITHER("made by both, different entries", "-", A1, B1, B1 " " A1, A1 " " B1),
	MERGED("made by both, the same entry", "-", A1 " " B1, A1, A1 " " B1),
	EITHER("made by both, different layers", "-", M("a=1"), M("b=1"), M("b=1 a=1"),
		M("a=1 b=1"), .fetched = 2),
	CLASH("made by both, different content", "-", A1 " " B1, A2 " " C1, "linux-amd64/app",
		A1 " " C1 " " B1, A2 " " C1 " " B1, .fetched = 2),
	MERGED("removed by one", A1, "-", A1, "-"),
	MERGED("removed by both", A1, "-", "-", "-"),
	CLASH("removed and changed", A1, "-", A2, ".", "-", A2),
	MERGED("emptied and added to", A1, "", A1 " " B1, B1),
};

#define S1 "{ a=1 $type=t/1 }"
#define IMAGE1 "{ :1 $image $config=1 }"
#define IMAGE2 "{ :1 :2 $image $config=2 }"

static const struct merge_case single_cases[] = {
	EITHER("stays single", S1, "{ a=1 b=1 $type=t/1 }", "{ a=1 c=1 $type=t/1 }",
		"{ a=1 c=1 b=1 $type=t/1 }", "{ a=1 b=1 c=1 $type=t/1 }"),
	CLASH("a conflict", S1, "{ a=2 $type=t/1 }", "{ a=3 $type=t/1 }", "any/a",
		"{ a=2 $type=t/1 }", "{ a=3 $type=t/1 }"),
	MERGED("grows, the other changes it", S1, "any" S1 " " B1, "{ a=2 $type=t/1 }",
		"any{ a=2 $type=t/1 } " B1),
	MERGED("grows with a platform, the other changes it", IMAGE1, "linux-amd64" IMAGE1 " " B1,
		IMAGE2, "linux-amd64" IMAGE2 " " B1),
	MERGED("grows and changes, the other changes it", S1, "any{ a=1 b=1 $type=t/1 } " B1,
		"{ a=2 $type=t/1 }", "any{ a=2 b=1 $type=t/1 } " B1, .fetched = 1),
	EITHER("grows on both sides", S1, "any" S1 " " B1, "any" S1 " " C1, "any" S1 " " C1 " " B1,
		"any" S1 " " B1 " " C1),
	EITHER("grows on both sides, annotated", S1, "any{ a=1 $type=t/1 $d@a=1 } " B1,
		"any{ a=1 $type=t/1 $d@b=1 }", "any{ a=1 $type=t/1 $d@b=1 $d@a=1 } " B1,
		"any{ a=1 $type=t/1 $d@a=1 $d@b=1 } " B1),
	CLASH("grows and loses it, unchanged", S1, B1, "{ a=1 $type=t/1 $m@k=1 }", "any", B1,
		"any{ a=1 $type=t/1 $m@k=1 } " B1),
	MERGED("grows with index annotations", S1, "any" S1 " @k=v", "{ a=2 $type=t/1 }",
		"any{ a=2 $type=t/1 } @k=v"),
	EITHER("made by both, artifacts", "-", "{ a=1 $type=t/1 }", "{ b=1 $type=t/1 }",
		"{ b=1 a=1 $type=t/1 }", "{ a=1 b=1 $type=t/1 }"),
	CLASH("made by both, images of an unknown platform", "-", IMAGE1, IMAGE2, ".", IMAGE1,
		IMAGE2),
	CLASH("made by both, images of one platform", "-", IMAGE1, IMAGE2, "linux-amd64/config",
		"{ :1 :2 $image $config=1 }", IMAGE2, .platform = "linux-amd64"),
	CLASH("an image of an unknown platform beside an index", "-", IMAGE1, B1, ".", IMAGE1, B1),
	EITHER("an image beside an index", "-", IMAGE1, B1, B1 " linux-amd64" IMAGE1,
		"linux-amd64" IMAGE1 " " B1, .platform = "linux-amd64"),
	EITHER("an image that is in the index", "-", IMAGE1, B1 " linux-amd64" IMAGE1,
		B1 " linux-amd64" IMAGE1, "linux-amd64" IMAGE1 " " B1),
	EITHER("an index replaced by an image, another added", A1 " @k=v", IMAGE1,
		A1 " " B1 " @k=v", B1 " linux-s390x" IMAGE1 " @k=v",
		"linux-s390x" IMAGE1 " " B1 " @k=v", .platform = "linux-s390x"),
	MERGED("an index replaced by its only entry", "linux-amd64" IMAGE1 " " B1, IMAGE1,
		"linux-amd64" IMAGE1 " " B1 " @k=v", "linux-amd64" IMAGE1 " @k=v"),
	CLASH("an image changed on both sides, named by its platform", IMAGE1,
		"{ :1 $image $config=1 $m@k=1 }", "{ :1 $image $config=1 $m@k=2 }",
		"linux-amd64/annotations.json: $manifest: k", "{ :1 $image $config=1 $m@k=1 }",
		"{ :1 $image $config=1 $m@k=2 }", .platform = "linux-amd64"),
};

static const struct {
	const struct merge_case *cases;
	size_t count;
} tables[] = {
#define TABLE(name)                                                                                \
	{                                                                                          \
		name, sizeof(name) / sizeof(*(name))                                               \
	}
	TABLE(entry_cases),
	TABLE(order_cases),
	TABLE(manifest_cases),
	TABLE(annotation_cases),
	TABLE(identity_cases),
	TABLE(tag_cases),
	TABLE(single_cases),
};

struct setting {
	struct merge_store store; /* first: merge_store_get() is given it */
	struct merge_text_tag base, ours, theirs;
	struct platform platform;
	struct merge_input input;
};

static void setting_make(struct setting *out, const struct merge_case *row, bool swapped)
{
	*out = (struct setting){.store = {.items = NULL}};
	merge_text_parse(&out->base, &out->store, row->base);
	merge_text_parse(&out->ours, &out->store, swapped ? row->theirs : row->ours);
	merge_text_parse(&out->theirs, &out->store, swapped ? row->ours : row->theirs);
	out->input = (struct merge_input){
		.base = merge_text_root(&out->base),
		.ours = merge_text_root(&out->ours),
		.theirs = merge_text_root(&out->theirs),
		.manifest = merge_store_get,
		.context = &out->store,
	};
	if (!row->platform)
		return;
	ck_assert_int_eq(platform_parse(&out->platform, row->platform, NULL), 0);
	out->input.base_platform = &out->platform;
	out->input.ours_platform = &out->platform;
	out->input.theirs_platform = &out->platform;
}

static void setting_clear(struct setting *setting)
{
	merge_text_clear(&setting->base);
	merge_text_clear(&setting->ours);
	merge_text_clear(&setting->theirs);
	merge_store_clear(&setting->store);
	platform_clear(&setting->platform);
}

static enum merge_choice choose_ours(void *context, const char *path)
{
	(void)context;
	(void)path;
	return MERGE_OURS;
}

static enum merge_choice choose_theirs(void *context, const char *path)
{
	(void)context;
	(void)path;
	return MERGE_THEIRS;
}

static void run(struct merge_result *out, struct setting *setting, const char *what)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(merge(out, &setting->input, &err) == 0, "%s: %s", what, err.message);
}

static void expect_result(
	struct setting *setting, const struct merge_case *row, const char *want, const char *how)
{
	cleanup_with(merge_result_clear) struct merge_result result;
	cleanup_free char *text = NULL;

	run(&result, setting, row->what);
	ck_assert_msg(result.conflict_count == 0, "%s, %s: a conflict: %s", row->what, how,
		result.conflict_count ? result.conflicts[0].path : "");
	text = merge_text_format(
		&result.root, &setting->store, result.manifests, result.manifest_count);
	ck_assert_msg(
		strcmp(text, want) == 0, "%s, %s:\n is   %s\n want %s", row->what, how, text, want);
}

/* Leaves out what names have of digests, which "~" comes before. */
static void path_append(struct buf *out, const char *path)
{
	const char *tilde = strchr(path, '~');

	if (tilde)
		buf_printf(out, "%.*s~%s", (int)(tilde - path), path, tilde + 13);
	else
		buf_append_text(out, path);
}

/* A conflict leaves nothing to publish, and says what is on each side. */
static void expect_conflicts(struct setting *setting, const struct merge_case *row, const char *how)
{
	cleanup_with(merge_result_clear) struct merge_result result;
	cleanup_with(buf_free) struct buf paths = BUF_INIT(BUF_UNBOUNDED);

	run(&result, setting, row->what);
	for (size_t i = 0; i < result.conflict_count; i++) {
		const struct merge_conflict *conflict = &result.conflicts[i];

		buf_append_text(&paths, i ? " | " : "");
		path_append(&paths, conflict->path);
		ck_assert(digest_is_set(&conflict->ours) || digest_is_set(&conflict->theirs));
	}
	ck_assert_msg(paths.data && strcmp(paths.data, row->conflicts) == 0,
		"%s, %s:\n is   %s\n want %s", row->what, how, paths.data, row->conflicts);
	ck_assert_ptr_null(result.root.json);
	ck_assert_uint_eq(result.manifest_count, 0);
}

static void expect_case(const struct merge_case *row, bool swapped)
{
	const char *result = swapped && row->swapped ? row->swapped : row->result;
	const char *how = swapped ? "swapped" : "plain";
	struct setting setting;

	setting_make(&setting, row, swapped);
	if (result)
		expect_result(&setting, row, result, how);
	else
		expect_conflicts(&setting, row, how);
	ck_assert_msg(setting.store.calls == row->fetched, "%s: %zu manifests", row->what,
		setting.store.calls);
	setting_clear(&setting);
}

START_TEST(table)
{
	for (size_t i = 0; i < tables[_i].count; i++)
		expect_case(&tables[_i].cases[i], false);
}
END_TEST

START_TEST(table_swapped)
{
	for (size_t i = 0; i < tables[_i].count; i++)
		expect_case(&tables[_i].cases[i], true);
}
END_TEST

START_TEST(conflicts_are_settled)
{
	for (size_t i = 0; i < tables[_i].count; i++) {
		const struct merge_case *row = &tables[_i].cases[i];
		struct setting setting;

		if (row->result)
			continue;
		setting_make(&setting, row, false);
		setting.input.settle = choose_ours;
		expect_result(&setting, row, row->by_ours, "by ours");
		setting.input.settle = choose_theirs;
		expect_result(&setting, row, row->by_theirs, "by theirs");
		setting_clear(&setting);
	}
}
END_TEST

static enum merge_choice choose_one(void *context, const char *path)
{
	(void)context;
	return strcmp(path, "linux-amd64/a") == 0 ? MERGE_OURS : MERGE_UNSETTLED;
}

START_TEST(one_of_two_conflicts_is_settled)
{
	static const struct merge_case row = CLASH("one of two", M("a=1 b=1"), M("a=2 b=2"),
		M("a=3 b=3"), "linux-amd64/b", NULL, NULL, .fetched = 3);
	struct setting setting;

	setting_make(&setting, &row, false);
	setting.input.settle = choose_one;
	expect_conflicts(&setting, &row, "plain");
	setting_clear(&setting);
}
END_TEST

START_TEST(a_conflict_tells_both_digests)
{
	static const struct merge_case row = {
		"digests", M("a=1 b=1"), M("a=2"), M("a=3 b=2"), .conflicts = ""};
	cleanup_with(merge_result_clear) struct merge_result result;
	struct digest two, three;
	struct setting setting;

	digest_of_bytes(&two, "2", 1);
	digest_of_bytes(&three, "3", 1);
	setting_make(&setting, &row, false);
	run(&result, &setting, row.what);
	ck_assert_uint_eq(result.conflict_count, 2);
	ck_assert_str_eq(result.conflicts[0].path, "linux-amd64/a");
	ck_assert(digest_equal(&result.conflicts[0].ours, &two));
	ck_assert(digest_equal(&result.conflicts[0].theirs, &three));
	ck_assert_str_eq(result.conflicts[1].path, "linux-amd64/b");
	ck_assert(!digest_is_set(&result.conflicts[1].ours));
	ck_assert(digest_equal(&result.conflicts[1].theirs, &two));
	setting_clear(&setting);
}
END_TEST

/* What is to be pushed: what the root names and neither side has. */
START_TEST(only_new_manifests_are_told)
{
	static const struct merge_case row = {"new ones", A1 " " B1 " " C1,
		M("app=1 b=1") " linux-arm64{ app=x } " C1,
		M("app=2") " " B1 " darwin-arm64{ app=y }", .conflicts = ""};
	cleanup_with(merge_result_clear) struct merge_result result;
	struct setting setting;

	setting_make(&setting, &row, false);
	run(&result, &setting, row.what);
	ck_assert_uint_eq(result.conflict_count, 0);
	ck_assert_uint_eq(result.manifest_count, 1);
	ck_assert(digest_equal(&result.manifests[0].digest, &result.root.items[0].digest));
	ck_assert(digest_equal(&setting.ours.root.items[1].digest, &result.root.items[1].digest));
	ck_assert(digest_equal(&setting.theirs.root.items[2].digest, &result.root.items[2].digest));
	setting_clear(&setting);
}
END_TEST

START_TEST(a_manifest_that_cannot_be_had_fails_the_merge)
{
	static const struct merge_case row = {
		"gone", M("a=1 b=1"), M("a=2 b=1"), M("a=1 b=2"), .conflicts = ""};
	struct merge_result result;
	struct error err = ERROR_INIT;
	struct setting setting;

	setting_make(&setting, &row, false);
	merge_store_clear(&setting.store);
	ck_assert_int_eq(merge(&result, &setting.input, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_null(result.root.json);
	ck_assert_ptr_null(result.conflicts);
	ck_assert_ptr_null(result.manifests);
	setting_clear(&setting);
}
END_TEST

/* An index where a manifest should be: nothing of it is merged. */
static int give_index(
	void *context, struct document *out, const struct descriptor *entry, struct error *err)
{
	(void)context;
	(void)entry;
	return document_create(out, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, err);
}

START_TEST(an_index_instead_of_a_manifest_is_a_conflict)
{
	static const struct merge_case row = {
		"index", M("a=1 b=1"), M("a=2 b=1"), M("a=1 b=2"), .conflicts = "linux-amd64"};
	struct setting setting;

	setting_make(&setting, &row, false);
	setting.input.manifest = give_index;
	expect_conflicts(&setting, &row, "plain");
	setting_clear(&setting);
}
END_TEST

#define DIGEST(c) "sha256:" c c c c c c c c c c c c c c c c
#define DIGEST_1 DIGEST("1111")
#define DIGEST_2 DIGEST("2222")
#define DIGEST_3 DIGEST("3333")

/* Written by three tools: what neither side concerns stays as theirs, to the byte; what only ours
 * changed is as ours. */
START_TEST(bytes_are_kept)
{
	static const char base[] =
		"{\"schemaVersion\":2,\"manifests\":["
		"{\"mediaType\":\"a/b\",\"digest\":\"" DIGEST_1 "\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
		"{\"mediaType\":\"a/b\",\"digest\":\"" DIGEST_2 "\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"arm64\"}}]}";
	static const char ours[] =
		"{\"schemaVersion\":2,\"manifests\":["
		"{\"mediaType\":\"a/b\",\"digest\":\"" DIGEST_1 "\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
		"{\"u\":[1,2.50],\"mediaType\":\"a/b\",\"digest\":\"" DIGEST_3
		"\",\"size\":1,\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"arm64\"}}]}";
	static const char theirs[] =
		"{\n  \"x\": { \"y\" : 1.0 },\n  \"schemaVersion\": 2,\n  \"manifests\": [\n"
		"    {\n      \"platform\": {\"architecture\":\"amd64\", \"os\":\"linux\"},\n"
		"      \"size\": 1,\n      \"digest\": \"" DIGEST_2 "\",\n"
		"      \"mediaType\": \"a\\/b\"\n    },\n"
		"    {\n      \"mediaType\": \"a/b\",\n      \"digest\": \"" DIGEST_2
		"\",\n      \"size\": 1,\n      \"platform\": {\n        \"os\": \"linux\",\n"
		"        \"architecture\": \"arm64\"\n      }\n    }\n  ]\n}\n";
	static const char want[] =
		"{\n  \"x\": { \"y\" : 1.0 },\n  \"schemaVersion\": 2,\n  \"manifests\": [\n"
		"    {\n      \"platform\": {\"architecture\":\"amd64\", \"os\":\"linux\"},\n"
		"      \"size\": 1,\n      \"digest\": \"" DIGEST_2 "\",\n"
		"      \"mediaType\": \"a\\/b\"\n    },\n"
		"    {\n      \"u\": [\n        1,\n        2.50\n      ],\n"
		"      \"mediaType\": \"a/b\",\n      \"digest\": \"" DIGEST_3
		"\",\n      \"size\": 1,\n      \"platform\": {\n        \"os\": \"linux\",\n"
		"        \"architecture\": \"arm64\"\n      }\n    }\n  ]\n}\n";
	cleanup_with(merge_result_clear) struct merge_result result;
	struct document roots[3];
	struct setting setting = {
		.input = {.base = &roots[0], .ours = &roots[1], .theirs = &roots[2]}};

	ck_assert_int_eq(document_parse(&roots[0], NULL, base, strlen(base), NULL), 0);
	ck_assert_int_eq(document_parse(&roots[1], NULL, ours, strlen(ours), NULL), 0);
	ck_assert_int_eq(document_parse(&roots[2], NULL, theirs, strlen(theirs), NULL), 0);
	run(&result, &setting, "bytes");
	ck_assert_uint_eq(result.conflict_count, 0);
	ck_assert_str_eq(result.root.json, want);
	for (size_t i = 0; i < 3; i++)
		document_clear(&roots[i]);
}
END_TEST

#define INDEX_OF(digest, rest)                                                                     \
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"" digest          \
	"\",\"size\":1" rest "}]"

/* Documents that say the same in another spelling, and what isn't changed or no conflict then. */
static const struct spelling {
	const char *what, *base, *ours, *theirs, *want; /* NULL: no tag */
} spellings[] = {
	{"both add a member", INDEX_OF(DIGEST_1, "") "}",
		INDEX_OF(DIGEST_1, "") ",\"x\":{\"a\":1,\"b\":[2]}}",
		INDEX_OF(DIGEST_1, "") ", \"x\": {\"b\":[2.0], \"\\u0061\":1} }",
		INDEX_OF(DIGEST_1, "") ", \"x\": {\"b\":[2.0], \"\\u0061\":1} }"},
	{"one spells a member, one changes it", INDEX_OF(DIGEST_1, "") ",\"x\":{\"a\":1,\"b\":2}}",
		INDEX_OF(DIGEST_1, "") ",\"x\":{\"a\":3,\"b\":2}}",
		INDEX_OF(DIGEST_1, "") ",\"x\":{\"b\":2,\"a\":1},\"y\":0}",
		INDEX_OF(DIGEST_1, "") ",\"x\":{\"a\":3,\"b\":2},\"y\":0}"},
	{"one spells an entry, one removes it",
		INDEX_OF(DIGEST_1, ",\"annotations\":{\"a\":\"/\",\"b\":\"\"}") "}",
		"{\"schemaVersion\":2,\"manifests\":[]}",
		INDEX_OF(DIGEST_1, ",\"annotations\":{\"b\":\"\",\"a\":\"\\/\"}") ",\"y\":0}",
		"{\"schemaVersion\":2,\"manifests\":[],\"y\":0}"},
	{"one spells an entry, one changes it", INDEX_OF(DIGEST_1, ",\"u\":{\"a\":1,\"b\":2}") "}",
		INDEX_OF(DIGEST_2, ",\"u\":{\"a\":1,\"b\":2}") "}",
		INDEX_OF(DIGEST_1, ",\"u\":{\"b\":2,\"a\":1}") ",\"y\":0}",
		INDEX_OF(DIGEST_2, ",\"u\":{\"a\":1,\"b\":2}") ",\"y\":0}"},
	{"one spells the tag, one removes it", INDEX_OF(DIGEST_1, "") ",\"x\":{\"a\":1,\"b\":2}}",
		NULL, INDEX_OF(DIGEST_1, "") ",\"x\":{\"b\":2,\"a\":1}}", NULL},
};

static const struct document *root_parse(struct document *out, const char *text)
{
	struct error err = ERROR_INIT;

	*out = (struct document)DOCUMENT_INIT;
	if (!text)
		return NULL;
	ck_assert_msg(document_parse(out, NULL, text, strlen(text), &err) == 0, "%s: %s", text,
		err.message);
	return out;
}

START_TEST(another_spelling_is_no_change)
{
	const struct spelling *row = &spellings[_i % (int)(sizeof(spellings) / sizeof(*spellings))];
	bool swapped = _i >= (int)(sizeof(spellings) / sizeof(*spellings));
	cleanup_with(merge_result_clear) struct merge_result result;
	struct document roots[3];
	struct setting setting = {
		.input = {
			.base = root_parse(&roots[0], row->base),
			.ours = root_parse(&roots[1], swapped ? row->theirs : row->ours),
			.theirs = root_parse(&roots[2], swapped ? row->ours : row->theirs),
		}};

	run(&result, &setting, row->what);
	ck_assert_msg(result.conflict_count == 0, "%s", row->what);
	if (!row->want)
		ck_assert_ptr_null(result.root.json);
	else if (!swapped)
		ck_assert_str_eq(result.root.json, row->want);
	else
		ck_assert_msg(strlen(result.root.json) > 0, "%s", row->what);
	for (size_t i = 0; i < 3; i++)
		document_clear(&roots[i]);
}
END_TEST

/* A descriptor's data and urls belong to its content: they come from the side that has it. */
START_TEST(what_belongs_to_content_follows_it)
{
	static const char format[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"a/b\",\"digest\":\"%s\",\"size\":1%s}]}";
	static const char *const members[] = {",\"data\":\"MQ==\"",
		",\"urls\":[\"http://localhost\"],\"artifactType\":\"t/2\"",
		",\"data\":\"MQ==\",\"annotations\":{\"k\":\"v\"}"};
	static const char *const digests[] = {DIGEST_1, DIGEST_2, DIGEST_1};
	struct document roots[3];

	for (size_t i = 0; i < 3; i++) {
		char text[1024];

		snprintf(text, sizeof(text), format, digests[i], members[i]);
		ck_assert_int_eq(document_parse(&roots[i], NULL, text, strlen(text), NULL), 0);
	}
	for (size_t swapped = 0; swapped < 2; swapped++) {
		cleanup_with(merge_result_clear) struct merge_result result;
		struct setting setting = {.input = {.base = &roots[0],
						  .ours = &roots[1 + swapped],
						  .theirs = &roots[2 - swapped]}};
		const char *json;

		run(&result, &setting, "content");
		ck_assert_uint_eq(result.conflict_count, 0);
		ck_assert_uint_eq(result.root.count, 1);
		json = result.root.items[0].json;
		ck_assert_ptr_nonnull(strstr(json, DIGEST_2));
		ck_assert_ptr_nonnull(strstr(json, "\"urls\""));
		ck_assert_ptr_nonnull(strstr(json, "\"artifactType\":\"t/2\""));
		ck_assert_ptr_nonnull(strstr(json, "\"k\":\"v\""));
		ck_assert_ptr_null(strstr(json, "\"data\""));
	}
	for (size_t i = 0; i < 3; i++)
		document_clear(&roots[i]);
}
END_TEST

#define MANY 10000

/* An index of many entries, of which the first and each step-th are as this side has them. */
static void many_make(struct document *out, size_t step, char mark)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);

	buf_append_text(&text, "{\"schemaVersion\":2,\"manifests\":[");
	for (size_t i = 0; i < MANY; i++)
		buf_printf(&text,
			"%s{\"mediaType\":\"" MEDIA_TYPE_MANIFEST
			"\",\"digest\":\"sha256:%063zu%c\",\"size\":1,\"platform\":{\"os\":"
			"\"linux\",\"architecture\":\"a%zu\"},\"annotations\":{\"k%c\":\"v\"}}",
			i ? "," : "", i, i % step ? '0' : mark, i, mark);
	buf_append_text(&text, "]}");
	ck_assert_int_eq(document_parse(out, NULL, text.data, text.len, NULL), 0);
}

START_TEST(many_entries_are_merged)
{
	cleanup_with(merge_result_clear) struct merge_result result;
	struct document base, ours, theirs;
	struct setting setting = {.input = {.base = &base, .ours = &ours, .theirs = &theirs}};
	clock_t begin;

	many_make(&base, 2, '1');
	many_make(&ours, MANY + 1, '2');
	many_make(&theirs, 3, '1');
	begin = clock();
	run(&result, &setting, "many");
	ck_assert_uint_eq(result.conflict_count, 0);
	ck_assert_uint_eq(result.root.count, MANY);
	printf("%d entries, %d of them changed by both: %.0f ms\n", MANY, MANY,
		(double)(clock() - begin) * 1000 / CLOCKS_PER_SEC);
	document_clear(&base);
	document_clear(&ours);
	document_clear(&theirs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merge");
	TCase *rows = tcase_create("table"), *bytes = tcase_create("bytes");
	TCase *many = tcase_create("many");
	SRunner *runner = srunner_create(suite);
	int count = (int)(sizeof(tables) / sizeof(*tables)), failed;

	suite_add_tcase(suite, rows);
	tcase_set_timeout(many, 120);
	tcase_set_tags(many, "slow");
	tcase_add_test(many, many_entries_are_merged);
	suite_add_tcase(suite, many);
	suite_add_tcase(suite, bytes);
	tcase_set_timeout(bytes, 120);
	tcase_add_loop_test(rows, table, 0, count);
	tcase_add_loop_test(rows, table_swapped, 0, count);
	tcase_add_loop_test(rows, conflicts_are_settled, 0, count);
	tcase_add_test(rows, one_of_two_conflicts_is_settled);
	tcase_add_test(rows, a_conflict_tells_both_digests);
	tcase_add_test(rows, only_new_manifests_are_told);
	tcase_add_test(rows, a_manifest_that_cannot_be_had_fails_the_merge);
	tcase_add_test(rows, an_index_instead_of_a_manifest_is_a_conflict);
	tcase_add_test(bytes, bytes_are_kept);
	tcase_add_loop_test(bytes, another_spelling_is_no_change, 0,
		2 * (int)(sizeof(spellings) / sizeof(*spellings)));
	tcase_add_test(bytes, what_belongs_to_content_follows_it);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
