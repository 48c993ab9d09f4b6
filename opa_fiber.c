#include "php_opa.h"
#include "opa_fiber.h"
#include "core/opa_alloc.h"

#define FIRST_CAPACITY 16u
#define NEAR_THE_TOP   16u

/* The place in a fiber's context that the engine keeps for this module. */
static int slot = -1;

static opa_stack *stack_of(zend_fiber_context *context)
{
	return context == NULL ? NULL : context->reserved[slot];
}

static void stack_free(opa_stack *stack)
{
	*stack->link = stack->next;
	if (stack->next != NULL) {
		stack->next->link = stack->link;
	}
	opa_free(stack->ids);
	opa_free(stack);
}

/* Called in start(), in the context of the starter. */
static void on_init(zend_fiber_context *context)
{
	opa_fibers *fibers = &OPA_G(request).fibers;
	context->reserved[slot] = NULL;
	if (!OPA_G(request).own.traced && !OPA_G(request).own.unwanted) {
		return;
	}
	opa_stack *stack = opa_calloc(1, sizeof(*stack));
	if (stack == NULL) {
		return;
	}
	stack->next = fibers->all;
	stack->link = &fibers->all;
	if (fibers->all != NULL) {
		fibers->all->link = &stack->next;
	}
	fibers->all = stack;
	context->reserved[slot] = stack;
	opa_span_id inherited = opa_request_top();
	opa_stack *current = fibers->current;
	fibers->current = stack;
	if (inherited != OPA_NO_SPAN) {
		opa_fiber_push(fibers, inherited, NULL);
	}
	fibers->current = current;
}

static void on_switch(zend_fiber_context *from, zend_fiber_context *to)
{
	(void)from;
	opa_fibers *fibers = &OPA_G(request).fibers;
	opa_stack *stack = stack_of(to);
	fibers->current = stack != NULL ? stack : &fibers->main;
}

static void on_destroy(zend_fiber_context *context)
{
	opa_stack *stack = stack_of(context);
	if (stack != NULL) {
		opa_fibers *fibers = &OPA_G(request).fibers;
		if (fibers->current == stack) {
			fibers->current = &fibers->main;
		}
		context->reserved[slot] = NULL;
		stack_free(stack);
	}
}

void opa_fiber_startup(void)
{
	slot = zend_get_resource_handle("opa");
	if (slot < 0) {
		return; /* no place left: fibers share the main program's stack */
	}
	zend_observer_fiber_init_register(on_init);
	zend_observer_fiber_switch_register(on_switch);
	zend_observer_fiber_destroy_register(on_destroy);
}

void opa_fiber_begin(opa_fibers *fibers)
{
	fibers->main.count = 0;
	fibers->current = &fibers->main;
	fibers->all = NULL;
}

void opa_fiber_end(opa_fibers *fibers)
{
	while (fibers->all != NULL) {
		stack_free(fibers->all);
	}
	fibers->current = &fibers->main;
	fibers->main.count = 0;
	if (fibers->main.capacity > 1024) {
		opa_free(fibers->main.ids);
		fibers->main.ids = NULL;
		fibers->main.capacity = 0;
	}
}

void opa_fiber_deinit(opa_fibers *fibers)
{
	opa_fiber_end(fibers);
	opa_free(fibers->main.ids);
	fibers->main = (opa_stack){0};
}

void opa_fiber_forget(opa_fibers *fibers)
{
	fibers->main.count = 0;
	for (opa_stack *stack = fibers->all; stack != NULL; stack = stack->next) {
		stack->count = 0;
	}
}

/* Removes the ended spans; what stays keeps its order. */
static void clear_ended(opa_stack *stack, opa_is_open is_open)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < stack->count; i++) {
		if (is_open(stack->ids[i])) {
			stack->ids[kept++] = stack->ids[i];
		}
	}
	stack->count = kept;
}

static bool make_room(opa_stack *stack, opa_is_open is_open)
{
	if (stack->count > 0 && is_open != NULL) {
		clear_ended(stack, is_open);
		if (stack->count <= stack->capacity / 2) {
			return true;
		}
	}
	uint32_t capacity = stack->capacity == 0 ? FIRST_CAPACITY : stack->capacity * 2;
	opa_span_id *ids = opa_realloc(stack->ids, capacity * sizeof(*ids));
	if (ids == NULL) {
		return false;
	}
	stack->ids = ids;
	stack->capacity = capacity;
	return true;
}

void opa_fiber_push_slowly(opa_fibers *fibers, opa_span_id id, opa_is_open is_open)
{
	opa_stack *stack = fibers->current;
	if (make_room(stack, is_open)) {
		stack->ids[stack->count++] = id;
	}
}

void opa_fiber_drop_from_within(opa_fibers *fibers, opa_span_id id)
{
	opa_stack *stack = fibers->current;
	uint32_t lowest = stack->count > NEAR_THE_TOP ? stack->count - NEAR_THE_TOP : 0;
	for (uint32_t i = stack->count; i-- > lowest;) {
		if (EXPECTED(stack->ids[i] == id)) {
			memmove(
				&stack->ids[i], &stack->ids[i + 1], (stack->count - i - 1) * sizeof(stack->ids[0]));
			stack->count--;
			return;
		}
	}
}

opa_span_id opa_fiber_top(opa_fibers *fibers, opa_is_open is_open)
{
	opa_stack *stack = fibers->current;
	while (stack->count > 0) {
		opa_span_id id = stack->ids[stack->count - 1];
		if (EXPECTED(is_open(id))) {
			return id;
		}
		stack->count--;
	}
	return OPA_NO_SPAN;
}
