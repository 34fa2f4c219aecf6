#include "registry/http/call_list.h"

#include <stddef.h>

void call_list_init(struct call_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

void call_list_append(struct call_list *list, struct engine_call *call)
{
	call->next = NULL;
	*list->last = call;
	list->last = &call->next;
}

struct engine_call *call_list_take(struct call_list *list, struct engine_call **link)
{
	struct engine_call *call = *link;

	*link = call->next;
	if (!*link)
		list->last = link;
	return call;
}

void call_list_remove(struct call_list *list, const struct engine_call *call)
{
	struct engine_call **link = &list->first;

	while (*link && *link != call)
		link = &(*link)->next;
	if (*link)
		call_list_take(list, link);
}
