/*
 * The current span: for each fiber, and for the main program, the stack of spans that were started
 * there. A new fiber's stack begins with the span that is current where it is started.
 *
 * A stack may hold ids of spans that have ended meanwhile (by another fiber, or out of order): who
 * takes the top asks the span table whether it is open. A fiber's state hangs on its context, not
 * on an address, and goes with it.
 */
#ifndef OPA_FIBER_H
#define OPA_FIBER_H

#include "core/opa_id.h"

typedef struct opa_stack {
	opa_span_id *ids; /* malloc */
	uint32_t count;
	uint32_t capacity;
	struct opa_stack *next; /* all stacks of fibers */
	struct opa_stack **link;
} opa_stack;

/* Of one thread. Zeroed memory is the state before the first request. */
typedef struct opa_fibers {
	opa_stack main;
	opa_stack *current; /* &main outside of fibers */
	opa_stack *all;     /* those of fibers */
} opa_fibers;

/* MINIT: tells the engine whom to call when fibers are made, switched and destroyed. */
void opa_fiber_startup(void);

/* At the start and at the very end of a request. */
void opa_fiber_begin(opa_fibers *fibers);
void opa_fiber_end(opa_fibers *fibers);

/* When the thread ends: nothing is left of it. It may be another thread that does this. */
void opa_fiber_deinit(opa_fibers *fibers);

/* Every fiber has no current span any more: in a forked child the stacks are the parent's. */
void opa_fiber_forget(opa_fibers *fibers);

/* Whether an id stands for an open span: asked when a stack is cleared of ended ones. */
typedef bool (*opa_is_open)(opa_span_id id);

/*
 * Makes a span the current one. When memory is short it is not, and nothing else happens. Before
 * the stack grows it is cleared of spans that have ended, so it is never larger than twice what is
 * open.
 */
static inline void opa_fiber_push(opa_fibers *fibers, opa_span_id id, opa_is_open is_open);

/* A span has ended: it is taken off the current stack if it stands near its top. */
static inline void opa_fiber_drop(opa_fibers *fibers, opa_span_id id);

/* The innermost span that is open, OPA_NO_SPAN when there is none; ended ones above it go. */
opa_span_id opa_fiber_top(opa_fibers *fibers, opa_is_open is_open);

/* The top as it stands, open or not; OPA_NO_SPAN when the stack is empty. */
static inline opa_span_id opa_fiber_peek(const opa_fibers *fibers)
{
	const opa_stack *stack = fibers->current;
	return OPA_LIKELY(stack->count > 0) ? stack->ids[stack->count - 1] : OPA_NO_SPAN;
}

/* What the two below fall back to. */
void opa_fiber_push_slowly(opa_fibers *fibers, opa_span_id id, opa_is_open is_open);
void opa_fiber_drop_from_within(opa_fibers *fibers, opa_span_id id);

static inline void opa_fiber_push(opa_fibers *fibers, opa_span_id id, opa_is_open is_open)
{
	opa_stack *stack = fibers->current;
	if (OPA_LIKELY(stack->count < stack->capacity)) {
		stack->ids[stack->count++] = id;
	} else {
		opa_fiber_push_slowly(fibers, id, is_open);
	}
}

static inline void opa_fiber_drop(opa_fibers *fibers, opa_span_id id)
{
	if (OPA_LIKELY(opa_fiber_peek(fibers) == id)) {
		fibers->current->count--;
	} else {
		opa_fiber_drop_from_within(fibers, id);
	}
}

#endif
