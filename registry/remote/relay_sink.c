#include "registry/remote/relay_sink.h"

static int relay_write(
	void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct relay_sink *relay = context;
	uint64_t after = offset + len;

	if (!relay->begun && offset < relay->next) {
		relay->next = offset;
		relay->end = relay->size;
	}
	relay->begun = true;
	if (offset > relay->next)
		return error_set(err, ERROR_PROTOCOL, "bytes came out of order");
	if (after > relay->end)
		after = relay->end;
	if (after <= relay->next)
		return 0;
	bytes = (const char *)bytes + (relay->next - offset);
	if (relay->to->write(
		    relay->to->context, relay->next, bytes, (size_t)(after - relay->next), err)) {
		relay->failed = true;
		return -1;
	}
	relay->next = after;
	return 0;
}

struct store_sink relay_sink(struct relay_sink *relay)
{
	return (struct store_sink){.write = relay_write, .context = relay};
}
