#include "fs/tree/intent.h"

void intents_add(struct intents *intents, const struct intent *intent)
{
	intents->items[intents->count++ % INTENTS_MAX] = *intent;
}

const struct intent *intents_find(const struct intents *intents, const struct digest *root)
{
	for (size_t i = 0; i < intents->count && i < INTENTS_MAX; i++)
		if (digest_equal(&intents->items[i].root, root))
			return &intents->items[i];
	return NULL;
}
