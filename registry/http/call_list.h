/*
 * call_list.h - calls in the order in which they came. A call is in one list at most.
 */
#ifndef INDEXFS_HTTP_CALL_LIST_H
#define INDEXFS_HTTP_CALL_LIST_H

#include "registry/http/engine.h"

struct call_list {
	struct engine_call *first, **last;
};

void call_list_init(struct call_list *list);
void call_list_append(struct call_list *list, struct engine_call *call);

/* Takes out the call that *link, a link of this list, points to. */
struct engine_call *call_list_take(struct call_list *list, struct engine_call **link);

/* Takes out the call, if it's there. */
void call_list_remove(struct call_list *list, const struct engine_call *call);

#endif
