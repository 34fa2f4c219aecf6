#include "fs/mount/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/commit/automatic.h"
#include "fs/mount/pending.h"
#include "fs/mount/reply.h"
#include "fs/tree/control.h"
#include "fs/tree/durable.h"
#include "fs/tree/edit.h"
#include "fs/tree/file.h"
#include "fs/tree/text.h"
#include "fs/tree/refresh.h"
#include "fs/tree/upload.h"

void op_create(fuse_req_t req, fuse_ino_t parent_ino, const char *name, mode_t mode,
	struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino), *node = NULL;
	struct fuse_entry_param entry;
	struct handle *handle = NULL;
	struct error err = ERROR_INIT;
	int result = parent ? edit_create(tree, parent, name, mode, &node) : ESTALE;

	if (!result && file_open(tree, node, true, false, &handle, &err))
		result = tree_report_unlocked(tree, node, "open", &err);
	if (!result) {
		pthread_mutex_lock(&tree->lock);
		handle->made = true;
		entry_fill(tree, node, name, &entry);
		pthread_mutex_unlock(&tree->lock);
		fi->fh = (uintptr_t)handle;
		fi->keep_cache = 1;
		fuse_reply_create(req, &entry, fi);
	} else {
		fuse_reply_err(req, result);
	}
	if (node)
		request_done(tree, node);
	if (parent)
		request_done(tree, parent);
}

/* A file of .oci is read from a text that was made when it was opened. */
static int open_control(
	struct tree *tree, struct node *node, bool writable, struct fuse_file_info *fi)
{
	struct error err = ERROR_INIT;
	struct handle *handle;

	if (writable)
		return EPERM;
	if (file_open_control(tree, node, &handle, &err))
		return error_errno(&err);
	fi->fh = (uintptr_t)handle;
	fi->direct_io = 1;
	return 0;
}

static int open_file(struct tree *tree, struct node *node, bool writable, struct fuse_file_info *fi)
{
	struct error err = ERROR_INIT;
	struct handle *handle;
	int result = 0;
	bool is_text;

	pthread_mutex_lock(&tree->lock);
	is_text = node_is_text(node);
	if (writable)
		result = node_writable(tree, node);
	pthread_mutex_unlock(&tree->lock);
	if (result)
		return result;
	if (file_open(tree, node, writable, writable && (fi->flags & O_TRUNC), &handle, &err))
		return tree_report_unlocked(tree, node, "open", &err);
	fi->fh = (uintptr_t)handle;
	/* every change comes through the kernel, but for text that is made from notes: that is read
	 * as it was when it was opened, whatever size the kernel believes in since */
	fi->keep_cache = !handle->has_text && !is_text;
	fi->direct_io = is_text && !writable;
	return 0;
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	bool writable = (fi->flags & O_ACCMODE) != O_RDONLY;
	int result = ESTALE;

	if (node && node->kind == NODE_CONTROL)
		result = open_control(tree, node, writable, fi);
	else if (node && node->kind == NODE_FILE && !node->file->dropped)
		result = open_file(tree, node, writable, fi);
	if (node)
		refresh_touch(tree, node);
	if (result)
		fuse_reply_err(req, result);
	else
		fuse_reply_open(req, fi);
	if (node)
		request_done(tree, node);
}

/* Of a copy: whoever has the answer may close the file before writev() has returned here. */
static void reply_text(fuse_req_t req, const struct buf *text, size_t size, off_t off)
{
	size_t start = (size_t)off < text->len ? (size_t)off : text->len;
	size_t len = text->len - start < size ? text->len - start : size;
	cleanup_free char *copy = malloc(len + 1);

	if (!copy) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	memcpy(copy, len ? text->data + start : "", len);
	fuse_reply_buf(req, copy, len);
}

static void reply_fd(fuse_req_t req, int fd, size_t size, off_t off)
{
	struct fuse_bufvec data = FUSE_BUFVEC_INIT(size);

	data.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	data.buf[0].fd = fd;
	data.buf[0].pos = off;
	fuse_reply_data(req, &data, FUSE_BUF_SPLICE_MOVE);
}

/* A read that waits for its bytes. */
struct reading {
	struct blob_read read; /* first */
	struct pending pending;
	struct tree *tree;
	struct node *node; /* pinned */
	struct blob *blob;
};

/* The kernel asks once again for what it couldn't read ahead: who waited as long as he is to wait
 * doesn't wait once more. */
#define TIMED_OUT_MS 1000

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void reading_done(struct blob_read *read, int fd, size_t len, const struct error *err)
{
	struct reading *reading = (struct reading *)read;

	if (pending_end(&reading->pending)) {
		fuse_req_t req = reading->pending.req;

		if (err) {
			pthread_mutex_lock(&reading->tree->lock);
			tree_report(reading->tree, reading->node, "read", err);
			if (err->kind == ERROR_TIMEOUT)
				reading->node->file->timed_out_ms = now_ms();
			pthread_mutex_unlock(&reading->tree->lock);
			fuse_reply_err(req, error_errno(err));
		} else {
			reply_fd(req, fd, len, (off_t)read->offset);
		}
	}
	blob_put_back(reading->blob);
	request_done(reading->tree, reading->node);
	free(reading);
}

static void read_blob(
	fuse_req_t req, struct handle *handle, struct blob *blob, size_t size, off_t off)
{
	struct tree *tree = request_tree(req);
	struct reading *reading = calloc(1, sizeof *reading);

	if (!reading) {
		blob_put_back(blob);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	reading->read =
		(struct blob_read){.offset = (uint64_t)off, .len = size, .done = reading_done};
	reading->tree = tree;
	reading->node = handle->node;
	reading->blob = blob;
	pthread_mutex_lock(&tree->lock);
	node_pin(handle->node);
	pthread_mutex_unlock(&tree->lock);
	pending_begin(&reading->pending, req, NULL);
	blob_read(blob, &handle->cursor, &reading->read);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct error err = ERROR_INIT;
	struct file *file = handle_of(fi)->node->file;
	struct source source;
	int result;

	(void)ino;
	pthread_mutex_lock(&tree->lock);
	result = file_source(tree, handle_of(fi), &source, &err);
	if (!result && source.blob && file->timed_out_ms &&
		now_ms() - file->timed_out_ms < TIMED_OUT_MS) {
		source_clear(&source);
		file->timed_out_ms = 0;
		result = error_set(&err, ERROR_TIMEOUT, "the registry has just not answered");
	}
	pthread_mutex_unlock(&tree->lock);
	if (result) {
		fuse_reply_err(req, error_errno(&err));
	} else if (source.blob) {
		read_blob(req, handle_of(fi), source.blob, size, off);
	} else if (source.staged) {
		reply_fd(req, staged_fd(source.staged), size, off);
		source_clear(&source);
	} else {
		reply_text(req, source.text, size, off);
	}
}

static int write_to(struct tree *tree, struct handle *handle, struct fuse_bufvec *in, off_t off,
	size_t *written, struct error *err)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fuse_buf_size(in));
	struct staged *staged;
	ssize_t result;

	if (file_write_begin(tree, handle, &staged, err))
		return -1;
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = staged_fd(staged);
	out.buf[0].pos = off;
	result = fuse_buf_copy(&out, in, FUSE_BUF_SPLICE_NONBLOCK);
	file_write_end(tree, handle, staged, (uint64_t)off, result > 0 ? (uint64_t)result : 0);
	if (result < 0)
		return error_set_errno(err, (int)-result, "the disk of state-dir");
	*written = (size_t)result;
	return 0;
}

void op_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
	struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct handle *handle = handle_of(fi);
	struct error err = ERROR_INIT;
	size_t written = 0;
	int result = write_to(tree, handle, in, off, &written, &err);

	(void)ino;
	/* a copy that has failed has taken nothing */
	if (result && durable_makes_room(tree, &err)) {
		error_clear(&err);
		result = write_to(tree, handle, in, off, &written, &err);
	}
	if (!result)
		fuse_reply_write(req, written);
	else
		fuse_reply_err(req, tree_report_unlocked(tree, handle->node, "write", &err));
}

/* A whole file becomes another without a byte being moved; for all else the kernel copies. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are libfuse's */
void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
	struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
	struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct tree *tree = request_tree(req);
	int64_t size_in, size_out;

	(void)flags;
	if (handle_of(fi_in)->has_text || ino_in == ino_out || off_in || off_out) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	pthread_mutex_lock(&tree->lock);
	size_in = file_size(tree, handle_of(fi_in)->node);
	size_out = file_size(tree, handle_of(fi_out)->node);
	pthread_mutex_unlock(&tree->lock);
	if (size_out || !size_in || (uint64_t)size_in > len || size_in > UINT32_MAX ||
		!file_clone(tree, handle_of(fi_in), handle_of(fi_out), &size_in))
		fuse_reply_err(req, EOPNOTSUPP);
	else
		fuse_reply_write(req, (size_t)size_in);
}

/* close(2): the one place where cp learns what went wrong. */
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct error err = ERROR_INIT;
	struct handle *handle = handle_of(fi);
	bool written;

	(void)ino;
	pthread_mutex_lock(&tree->lock);
	written = handle->written && handle->unflushed;
	handle->unflushed = false;
	handle->flushed = true;
	pthread_mutex_unlock(&tree->lock);
	if (written && !text_take(tree, handle->node, &err))
		upload_told(tree, handle->node, &err);
	fuse_reply_err(req, error_errno(&err));
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	bool writable = handle_of(fi)->writable;

	file_close(tree, handle_of(fi));
	if (writable && node)
		text_take_emptied(tree, node);
	if (writable && node)
		automatic_touched(tree, node);
	if (node)
		request_done(tree, node);
	fuse_reply_err(req, 0);
}
