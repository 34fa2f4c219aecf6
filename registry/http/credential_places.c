#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/http/credential_file.h"

/* NULL where the variable isn't set, or is empty. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* XDG's folders, and ~, count only where they are absolute. */
static const char *folder(const char *name)
{
	const char *value = variable(name);

	return value && *value == '/' ? value : NULL;
}

/* Adds base[/middle]/name, from the working folder where base is relative; nothing where base is
 * NULL. */
static int place_add(struct credential_places *places, enum auth_file_form form, const char *base,
	const char *rest, struct error *err)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *here = NULL;
	char *text;

	if (!base)
		return 0;
	if (*base != '/') {
		here = get_current_dir_name();
		if (!here)
			return error_set_errno(err, errno, "%s", base);
		if (buf_printf(&path, "%s/", here))
			return error_set_memory(err);
	}
	if (buf_append_text(&path, base) || buf_append_text(&path, rest) ||
		!(text = buf_steal(&path)))
		return error_set_memory(err);
	places->items[places->count++] = (struct credential_place){.path = text, .form = form};
	return 0;
}

/* The user's own folder for a program: a variable's, else one in the home. */
static int place_add_default(struct credential_places *places, const char *set, const char *rest,
	const char *home_rest, struct error *err)
{
	return place_add(
		places, AUTH_FILE_AUTHS, set ? set : folder("HOME"), set ? rest : home_rest, err);
}

static int places_find(struct credential_places *out, const char *authfile, struct error *err)
{
	if (!authfile)
		authfile = variable("REGISTRY_AUTH_FILE");
	if (authfile)
		return place_add(out, AUTH_FILE_AUTHS, authfile, "", err);
	if (place_add(out, AUTH_FILE_AUTHS, folder("XDG_RUNTIME_DIR"), "/containers/auth.json",
		    err) ||
		place_add_default(out, folder("XDG_CONFIG_HOME"), "/containers/auth.json",
			"/.config/containers/auth.json", err) ||
		place_add_default(out, variable("DOCKER_CONFIG"), "/config.json",
			"/.docker/config.json", err))
		return -1;
	return place_add(out, AUTH_FILE_FLAT, folder("HOME"), "/.dockercfg", err);
}

int credential_places_find(struct credential_places *out, const char *authfile, struct error *err)
{
	*out = (struct credential_places){.count = 0};
	if (!places_find(out, authfile, err))
		return 0;
	credential_places_clear(out);
	return -1;
}

void credential_places_clear(struct credential_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->items[i].path);
	places->count = 0;
}
