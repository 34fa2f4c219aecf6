/*
 * warning.h - what a registry warns of (distribution-spec 1.1, "Warnings").
 *
 *     Warning: 299 - "TEXT"[, 299 - "TEXT"]...
 */
#ifndef INDEXFS_MODEL_WARNING_H
#define INDEXFS_MODEL_WARNING_H

#define WARNING_TEXT_MAX 512

/* The next warning of a header's value: its text in out, cut to fit, and where to look for the one
 * after it. NULL where there is none. What isn't a warning by the spec is passed over. */
const char *warning_next(char out[static WARNING_TEXT_MAX + 1], const char *value);

#endif
