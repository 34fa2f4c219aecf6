#include "fs/commit/push.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "crash_point.h"
#include "fs/commit/lost.h"
#include "fs/commit/turn.h"
#include "fs/tree/adopt.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "publish.h"

#define TRIES 32
#define TRIES_AGAIN 8 /* for our last push; there are more looks at it */
#define PAUSE_MOST_MS 200
#define SLICE_MS 10

void pushed_clear(struct pushed *pushed)
{
	reconciled_clear(&pushed->made);
	version_clear(&pushed->before);
}

void pushed_adopt(struct tree *tree, struct node *tag, const struct pushed *pushed)
{
	const struct reconciled *made = &pushed->made;
	const struct adoption how = {
		.manifests = made->manifests,
		.manifest_count = made->manifest_count,
		.by_commit = true,
	};
	struct digest base = version_digest(&tag->tag->base), now = version_digest(&made->version);
	struct error err = ERROR_INIT;

	log_write(tree->log, LOG_LEVEL_INFO, "%s is now %s", tag->tag->name,
		digest_is_set(&now) ? now.text : "gone");
	if (!digest_equal(&base, &now) && tag_adopt(tree, tag, &made->version, &how, NULL, &err))
		tree_report_unlocked(tree, tag, "what others have published isn't shown", &err);
}

/* The versions of a try. */
struct attempt {
	struct plan *plan; /* NULL: nothing is new */
	struct tree *tree;
	struct node *tag;
	struct cancel *cancel;
	struct version base, ours;
	struct version theirs; /* what the tag names */
	bool asked; /* what the registry has lost was asked for */
	bool lost; /* and it has lost something, which is there again */
	struct reconciled upon; /* theirs, with what is missing of our last push */
	enum conflict_manner manner;
	struct reconciled made;
	struct document *manifests; /* to be sent: borrowed */
	struct publish_blob *blobs; /* likewise */
	struct digest *sent; /* of those that are there by now */
	size_t sent_count;
	struct turn turn;
	struct publication publication;
};

static void attempt_clear(struct attempt *attempt)
{
	version_clear(&attempt->base);
	version_clear(&attempt->ours);
	version_clear(&attempt->theirs);
	reconciled_clear(&attempt->upon);
	reconciled_clear(&attempt->made);
	free(attempt->manifests);
	free(attempt->blobs);
	free(attempt->sent);
}

static bool same(const struct version *a, const struct version *b)
{
	struct digest left = version_digest(a), right = version_digest(b);

	return digest_equal(&left, &right);
}

/* What the changes of a plan stand on: the base or, where the tag is at what an earlier commit of
 * ours has left there, what of that was ours. */
static int take_base(struct attempt *attempt, struct error *err)
{
	const struct tag *tag = attempt->tag->tag;
	struct digest now = version_digest(&attempt->theirs);
	const struct intent *intent = intents_find(&tag->intents, &now);

	version_clear(&attempt->base);
	if (!intent)
		return version_copy(&attempt->base, tag_origin(tag), err);
	if (digest_equal(&intent->ours, &intent->root))
		return version_copy(&attempt->base, &attempt->theirs, err);
	if (history_document(attempt->tree->history, &attempt->base.root, &intent->ours, err))
		return -1;
	return version_is_single(&attempt->base) && tag_origin(tag)->entry.json
		       ? descriptor_copy(&attempt->base.entry, &tag_origin(tag)->entry, err)
		       : 0;
}

/* What our last push stands on. An older one that comes late has nothing that it hasn't. */
static const struct version *base_of_last(
	const struct last_push *last, const struct version *theirs)
{
	struct digest now = version_digest(theirs);

	return intents_find(&last->older, &now) ? theirs : &last->before;
}

/* While our last push is watched: what is missing of it is put back before anything else is. */
static int take_upon(struct attempt *attempt, struct error *err)
{
	const struct last_push *last = &attempt->tag->tag->last_push;
	const struct sides sides = {
		.base = base_of_last(last, &attempt->theirs),
		.ours = &last->made,
		.theirs = &attempt->theirs,
		.manner = CONFLICTS_YIELD,
	};

	reconciled_clear(&attempt->upon);
	if (!last->watched || attempt->manner != CONFLICTS_AS_CHOSEN)
		return version_copy(&attempt->upon.version, &attempt->theirs, err);
	return reconcile(
		&attempt->upon, attempt->tree, attempt->tag, NULL, &sides, attempt->cancel, err);
}

/* One more of what status tells. */
static void count(const struct attempt *attempt, unsigned *counter)
{
	pthread_mutex_lock(&attempt->tree->lock);
	++*counter;
	pthread_mutex_unlock(&attempt->tree->lock);
}

/* A tag that is gone with what it named wasn't removed by anybody: it is new. */
static const struct version *base_of(const struct attempt *attempt)
{
	static const struct version none = VERSION_INIT;

	return attempt->lost && !version_exists(&attempt->theirs) ? &none : &attempt->base;
}

static int make(struct attempt *attempt, struct error *err)
{
	const struct sides sides = {
		.base = base_of(attempt),
		.ours = &attempt->ours,
		.theirs = &attempt->upon.version,
		.manner = attempt->manner,
	};

	reconciled_clear(&attempt->made);
	if (take_upon(attempt, err) || reconcile(&attempt->made, attempt->tree, attempt->tag,
					       attempt->plan, &sides, attempt->cancel, err))
		return -1;
	if (!same(&attempt->made.version, &attempt->ours) &&
		!same(&attempt->made.version, &attempt->theirs))
		count(attempt, &attempt->tag->tag->merges);
	return 0;
}

static bool names(const struct document *root, const struct digest *digest)
{
	for (size_t i = 0; i < root->count; i++)
		if (digest_equal(&root->items[i].digest, digest))
			return true;
	return false;
}

/* Whether the registry has it. To put it again would do no good: there are registries that don't
 * know it while it's being written anew, and refuse an index of others that names it. */
static bool is_there(const struct attempt *attempt, const struct digest *digest)
{
	for (size_t i = 0; i < attempt->sent_count; i++)
		if (digest_equal(&attempt->sent[i], digest))
			return true;
	return names(&attempt->theirs.root, digest);
}

/* Those that the merge has kept, and that are new. */
static void add_manifests(struct attempt *attempt, const struct document *from, size_t count)
{
	struct publication *publication = &attempt->publication;

	for (size_t i = 0; i < count; i++)
		if (names(&attempt->made.version.root, &from[i].digest) &&
			!is_there(attempt, &from[i].digest))
			attempt->manifests[publication->manifest_count++] = from[i];
}

/* After a try that has come as far as the tag. */
static int note_sent(struct attempt *attempt, struct error *err)
{
	const struct publication *publication = &attempt->publication;
	struct digest *sent = reallocarray(
		attempt->sent, attempt->sent_count + publication->manifest_count + 1, sizeof *sent);

	if (!sent)
		return error_set_memory(err);
	attempt->sent = sent;
	for (size_t i = 0; i < publication->manifest_count && publication->blobs_sent; i++)
		sent[attempt->sent_count++] = publication->manifests[i].digest;
	return 0;
}

/* Whether the tag is to stay where it is: others have all of it, or ours was given up. */
static bool is_sent_already(const struct attempt *attempt)
{
	return same(&attempt->made.version, &attempt->theirs);
}

/* The configs that a merge has made come as new ones: nobody has sent them. */
static void add_configs(struct attempt *attempt, const struct reconciled *from)
{
	struct publication *publication = &attempt->publication;

	for (size_t i = 0; i < from->config_count; i++) {
		const struct plan_config *config = &from->configs[i];

		attempt->blobs[publication->blob_count++] = (struct publish_blob){
			.digest = config->digest,
			.source = {.fd = staged_fd(config->staged), .size = config->size},
		};
		publication->blobs_sent = false;
	}
}

static int fill_blobs(struct attempt *attempt, struct error *err)
{
	struct publication *publication = &attempt->publication;
	const struct plan *plan = attempt->plan;
	size_t planned = plan ? plan->blob_count : 0;

	free(attempt->blobs);
	attempt->blobs =
		calloc(planned + attempt->made.config_count + attempt->upon.config_count + 1,
			sizeof *attempt->blobs);
	if (!attempt->blobs)
		return error_set_memory(err);
	publication->blobs = attempt->blobs;
	publication->blob_count = 0;
	if (is_sent_already(attempt))
		return 0;
	if (planned)
		memcpy(attempt->blobs, plan->blobs, planned * sizeof *attempt->blobs);
	publication->blob_count = planned;
	add_configs(attempt, &attempt->upon);
	add_configs(attempt, &attempt->made);
	return 0;
}

static int fill_publication(struct attempt *attempt, struct error *err)
{
	struct publication *publication = &attempt->publication;
	const struct plan *plan = attempt->plan;
	const struct reconciled *made = &attempt->made, *upon = &attempt->upon;
	size_t planned = plan ? plan->manifest_count : 0;

	free(attempt->manifests);
	attempt->manifests = calloc(planned + made->manifest_count + upon->manifest_count + 1,
		sizeof *attempt->manifests);
	if (!attempt->manifests)
		return error_set_memory(err);
	attempt->turn = (struct turn){.path = attempt->tree->turn_path,
		.wait_ms = TURN_WAIT_MS,
		.log = attempt->tree->log,
		.fd = -1};
	publication->turn_begin = turn_begin;
	publication->turn_end = turn_end;
	publication->turn = &attempt->turn;
	publication->root = &made->version.root;
	publication->base = version_digest(&attempt->theirs);
	publication->manifests = attempt->manifests;
	publication->manifest_count = 0;
	if (plan)
		add_manifests(attempt, plan->manifests, planned);
	add_manifests(attempt, upon->manifests, upon->manifest_count);
	add_manifests(attempt, made->manifests, made->manifest_count);
	return fill_blobs(attempt, err);
}

/* Notes what the tag is about to become; what of it is ours has to be found again by itself. */
static int intend(struct attempt *attempt, struct error *err)
{
	const struct plan *plan = attempt->plan;
	const struct intent intent = {
		.root = version_digest(&attempt->made.version),
		.ours = version_digest(&plan->ours),
	};
	struct tree *tree = attempt->tree;
	int result = 0;

	pthread_mutex_lock(&tree->lock);
	if (!digest_equal(&intent.root, &intent.ours))
		result = history_keep(tree, &plan->ours.root, 1, err) ||
			 history_keep(tree, plan->manifests, plan->manifest_count, err);
	if (!result) {
		intents_add(&attempt->tag->tag->intents, &intent);
		result = history_intent(tree, &intent, err);
	}
	pthread_mutex_unlock(&tree->lock);
	return result ? -1 : 0;
}

/* Publishes what was made. *stands: the tag names it. */
static int send(struct attempt *attempt, bool *stands, struct error *err)
{
	const struct require *require = &attempt->tree->options.require;
	struct publication *publication = &attempt->publication;
	const struct version *made = &attempt->made.version;
	struct digest found;

	if (fill_publication(attempt, err))
		return -1;
	if (attempt->plan && (require_check(require, &made->root, version_platform(made), err) ||
				     (!is_sent_already(attempt) && intend(attempt, err))))
		return -1;
	CRASH_POINT("commit.intended");
	if (attempt->manner != CONFLICTS_AS_CHOSEN && !is_sent_already(attempt))
		count(attempt, &attempt->tag->tag->repushes);
	if (publish(attempt->tree->store, publication, &found, attempt->cancel, err))
		return -1;
	*stands = digest_equal(&found, &made->root.digest);
	return 0;
}

/* A moment, longer with each try and never the same, so that those who write at the same time come
 * one after the other. */
static int wait_a_moment(struct attempt *attempt, int tries, struct error *err)
{
	int most = 20 << (tries < 5 ? tries : 5);
	uint16_t random = 0;
	int64_t left;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = (uint16_t)(uintptr_t)attempt;
	left = (most < PAUSE_MOST_MS ? most : PAUSE_MOST_MS) * (int64_t)random / UINT16_MAX;
	for (; left > 0; left -= SLICE_MS) {
		const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000L};

		if (cancel_fired(attempt->cancel))
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		nanosleep(&slice, NULL);
	}
	return 0;
}

static int fetch(struct attempt *attempt, struct version *out, struct error *err)
{
	const struct reference reference = {.tag = attempt->tag->tag->name};

	return version_fetch(out, attempt->tree->store, &reference, attempt->cancel, err);
}

/* After somebody has overwritten what we have just put there: what he has made of it is to be
 * merged with that. */
static void go_on_from_ours(struct attempt *attempt)
{
	version_take(&attempt->base, &attempt->theirs);
	version_take(&attempt->ours, &attempt->made.version);
	if (attempt->manner == CONFLICTS_AS_CHOSEN)
		attempt->manner = CONFLICTS_TO_USER;
}

/* Should this commit fail, the next one knows where to begin. */
static int remember(struct attempt *attempt, struct error *err)
{
	int result;

	pthread_mutex_lock(&attempt->tree->lock);
	result = tag_note(attempt->tag->tag, &attempt->theirs, err);
	pthread_mutex_unlock(&attempt->tree->lock);
	return result;
}

/* Looks what the tag is now, for the next try. *stands: it is ours, after all. */
static int look_again(
	struct attempt *attempt, bool was_put, int tries, bool *stands, struct error *err)
{
	cleanup_with(version_clear) struct version now = VERSION_INIT;

	if (wait_a_moment(attempt, tries, err) || fetch(attempt, &now, err))
		return -1;
	*stands = was_put && same(&now, &attempt->made.version);
	if (*stands)
		return 0;
	if (was_put)
		go_on_from_ours(attempt);
	version_take(&attempt->theirs, &now);
	if (remember(attempt, err))
		return -1;
	return attempt->manner == CONFLICTS_AS_CHOSEN ? take_base(attempt, err) : 0;
}

/* The first of them begins with what the tag was when it was last asked. A conflict with that may
 * be none with what it is. */
static int make_first(struct attempt *attempt, struct error *err)
{
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	struct error why = ERROR_INIT;

	if (make(attempt, &why) == 0)
		return 0;
	if (why.kind != ERROR_CONFLICT || fetch(attempt, &now, NULL) ||
		same(&now, &attempt->theirs))
		return error_copy(err, &why);
	version_take(&attempt->theirs, &now);
	return remember(attempt, err) || take_base(attempt, err) || make(attempt, err) ? -1 : 0;
}

/* Whether nothing is to be put: the tag is to be gone, and is; or nothing is missing of our last
 * push. A plan's is looked at once more: the registry has to say that it's there. */
static bool is_done(const struct attempt *attempt)
{
	return !version_exists(&attempt->made.version) ||
	       (!attempt->plan && is_sent_already(attempt));
}

/* What a failure may come of: the registry doesn't know what a manifest names, or the tag is gone.
 */
static bool may_be_lost(const struct attempt *attempt, const struct error *why)
{
	return attempt->plan && !attempt->asked &&
	       (why->kind == ERROR_NOT_FOUND ||
		       (why->kind == ERROR_CONFLICT && !version_exists(&attempt->theirs)));
}

/* After a failure: what the registry has lost is sent again, and another try may go well. */
static int mend(struct attempt *attempt, const struct error *why, struct error *err)
{
	if (!may_be_lost(attempt, why))
		return error_copy(err, why);
	attempt->asked = true;
	if (plan_send_lost(attempt->plan, &attempt->lost, attempt->cancel, err))
		return -1;
	return attempt->lost ? 0 : error_copy(err, why);
}

/* *stands: there is no more to do. *moved: it came too late. */
static int try_once(
	struct attempt *attempt, bool first, bool *stands, bool *moved, struct error *why)
{
	if (first ? make_first(attempt, why) : make(attempt, why))
		return -1;
	*stands = is_done(attempt);
	if (*stands || send(attempt, stands, why) == 0)
		return 0;
	*moved = why->kind == ERROR_CONFLICT;
	return -1;
}

static int try_all(struct attempt *attempt, struct error *err)
{
	int most = attempt->plan ? TRIES : TRIES_AGAIN;

	for (int tries = 0; tries < most; tries++) {
		struct error why = ERROR_INIT;
		bool stands = false, moved = false;
		int result = try_once(attempt, !tries, &stands, &moved, &why);

		if (result && !moved ? mend(attempt, &why, err) : note_sent(attempt, err))
			return -1;
		if (!stands && look_again(attempt, !result, tries, &stands, err))
			return -1;
		if (stands)
			return 0;
	}
	return error_set(err, ERROR_CONFLICT,
		"tag %s is moved by others all the time: %d tries in a row came too late",
		attempt->tag->tag->name, most);
}

static void take_pushed(struct pushed *out, struct attempt *attempt)
{
	out->made = attempt->made;
	attempt->made = (struct reconciled)RECONCILED_INIT;
	version_take(&out->before, &attempt->theirs);
}

int push(struct pushed *out, struct plan *plan, struct cancel *cancel, struct error *err)
{
	const struct tag *tag = plan->tag->tag;
	cleanup_with(attempt_clear) struct attempt attempt = {
		.plan = plan,
		.tree = plan->tree,
		.tag = plan->tag,
		.cancel = cancel,
		.publication = {.tag = tag->name},
	};

	if (version_copy(&attempt.ours, &plan->ours, err) ||
		version_copy(&attempt.theirs, tag_now(tag), err) || take_base(&attempt, err) ||
		try_all(&attempt, err))
		return -1;
	take_pushed(out, &attempt);
	return 0;
}

int push_again(struct pushed *out, struct tree *tree, struct node *tag, struct cancel *cancel,
	struct error *err)
{
	const struct last_push *last = &tag->tag->last_push;
	cleanup_with(attempt_clear) struct attempt attempt = {
		.tree = tree,
		.tag = tag,
		.cancel = cancel,
		.manner = CONFLICTS_YIELD,
		.publication = {.tag = tag->tag->name},
	};

	if (fetch(&attempt, &attempt.theirs, err) ||
		version_copy(&attempt.ours, &last->made, err) ||
		version_copy(&attempt.base, base_of_last(last, &attempt.theirs), err) ||
		try_all(&attempt, err))
		return -1;
	take_pushed(out, &attempt);
	return 0;
}
