#include "cleanup.h"
#include "registry/model/annotation_file_json.h"
#include "registry/model/json_edit.h"

static int break_write(struct buf *out, size_t level)
{
	return buf_printf(out, "\n%*s", (int)(2 * level), "");
}

/* A comma where something stands before, a new line, the key. */
static int key_write(struct buf *out, const char *key, size_t level, bool first, struct error *err)
{
	if ((!first && buf_append(out, ",", 1)) || break_write(out, level))
		return json_buf_error(err);
	if (json_string_write(out, key, err))
		return -1;
	return buf_append(out, ": ", 2) ? json_buf_error(err) : 0;
}

static int object_write(
	struct buf *out, const struct annotations *annotations, size_t level, struct error *err)
{
	if (buf_append(out, "{", 1))
		return json_buf_error(err);
	for (size_t i = 0; i < annotations->count; i++)
		if (key_write(out, annotations->items[i].key, level + 1, i == 0, err) ||
			json_string_write(out, annotations->items[i].value, err))
			return -1;
	if ((annotations->count > 0 && break_write(out, level)) || buf_append(out, "}", 1))
		return json_buf_error(err);
	return 0;
}

static int part_write(struct buf *out, const char *key, const struct annotations *annotations,
	bool *first, struct error *err)
{
	if (annotations->count == 0)
		return 0;
	if (key_write(out, key, 1, *first, err))
		return -1;
	*first = false;
	return object_write(out, annotations, 1, err);
}

static int layer_write(
	struct buf *out, const struct layer_annotations *layer, bool *first, struct error *err)
{
	cleanup_with(buf_free) struct buf key = BUF_INIT(ANNOTATION_FILE_MAX);

	if (buf_append_text(&key, annotation_file_dollar(layer->title) ? "./" : "") ||
		buf_append_text(&key, layer->title))
		return json_buf_error(err);
	return part_write(out, key.data, &layer->annotations, first, err);
}

int annotation_file_format(struct buf *out, const struct annotation_file *file, struct error *err)
{
	bool first = true;

	if (buf_append(out, "{", 1))
		return json_buf_error(err);
	if (part_write(out, "$descriptor", &file->descriptor, &first, err) ||
		part_write(out, "$manifest", &file->manifest, &first, err) ||
		part_write(out, "$config", &file->config, &first, err))
		return -1;
	for (size_t i = 0; i < file->layer_count; i++)
		if (layer_write(out, &file->layers[i], &first, err))
			return -1;
	return buf_append_text(out, first ? "}\n" : "\n}\n") ? json_buf_error(err) : 0;
}

int index_annotations_format(
	struct buf *out, const struct annotations *annotations, struct error *err)
{
	if (object_write(out, annotations, 0, err))
		return -1;
	return buf_append(out, "\n", 1) ? json_buf_error(err) : 0;
}
