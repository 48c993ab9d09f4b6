#include "php_opa.h"
#include "opa_sampling.h"
#include "opa_http.h"
#include "opa_process.h"
#include "core/opa_clock.h"
#include "core/opa_ot.h"

static opa_str state_of(const opa_remote *remote)
{
	return (opa_str){remote->state, remote->state_len};
}

/* ---- the start ---- */

/* By the first rule that matches, else by the rate. */
static uint64_t threshold_of(const opa_config *config)
{
	uint64_t threshold;
	opa_str method, path;
	if (config->sample_rules == NULL) {
		return config->sample_threshold;
	}
	opa_http_target(&method, &path);
	return opa_sample_rules_find(config->sample_rules, method, path, &threshold)
			   ? threshold
			   : config->sample_threshold;
}

static opa_verdict decide(const opa_request_trace *trace, const opa_ot *ot)
{
	const opa_config *config = OPA_G(request).config;
	uint64_t random = ot->has_random ? ot->random : opa_sampler_random(trace->trace_id);
	if (trace->remote.decision != OPA_DECISION_OPEN && !config->sample_alone) {
		bool sampled = trace->remote.decision == OPA_DECISION_YES;
		return opa_verdict_followed(sampled, ot, random);
	}
	opa_verdict verdict = opa_verdict_own(threshold_of(config), random);
	verdict.has_threshold = verdict.has_threshold && config->sample_told;
	return verdict;
}

/* With the threshold that was decided by, in place of what the caller has sent. */
static void tell(opa_remote *remote, const opa_verdict *verdict, const opa_ot *ot)
{
	char state[OPA_W3C_STATE_MAX];
	bool same = verdict->has_threshold ? ot->has_threshold && ot->threshold == verdict->threshold
									   : !ot->says_threshold;
	if (!same) {
		size_t len = opa_ot_write(
			state_of(remote), verdict->has_threshold ? &verdict->threshold : NULL, state);
		memcpy(remote->state, state, len);
		remote->state_len = len;
	}
}

static void count_dropped(const opa_sampling *sampling)
{
	opa_publish_count(opa_the_process.publisher,
		sampling->limited ? OPA_COUNT_TRACES_RATE_LIMITED : OPA_COUNT_TRACES_SAMPLED_OUT, 1);
}

bool opa_sampling_begin(opa_request_trace *trace)
{
	const opa_config *config = OPA_G(request).config;
	opa_sampling *sampling = &trace->sampling;
	opa_ot ot;
	opa_ot_read(state_of(&trace->remote), &ot);
	opa_verdict verdict = decide(trace, &ot);
	*sampling = (opa_sampling){.begun = opa_clock_mono()};
	if (config->rate_limit > 0) {
		/* Who is let in is no longer a matter of probability alone. */
		verdict.has_threshold = false;
		sampling->limited = verdict.sampled &&
							!opa_publish_may_begin(opa_the_process.publisher, config->rate_limit);
		verdict.sampled = verdict.sampled && !sampling->limited;
	}
	tell(&trace->remote, &verdict, &ot);
	sampling->sampled = verdict.sampled;
	sampling->has_threshold = verdict.has_threshold;
	sampling->threshold = verdict.threshold;
	if (verdict.sampled) {
		sampling->kept = OPA_KEPT_HEAD;
		return true;
	}
	/* What the caller's tracestate says of those that were chosen is not true of one kept here. */
	sampling->erased = verdict.has_threshold;
	if (opa_sampling_keeps_at_end(config)) {
		return true;
	}
	count_dropped(sampling);
	return false;
}

void opa_sampling_rotate(opa_request_trace *trace)
{
	opa_sampling *sampling = &trace->sampling;
	opa_verdict verdict = {
		sampling->sampled, sampling->sampled && sampling->has_threshold, sampling->threshold};
	opa_ot none = {.has_threshold = false};
	trace->remote.known = false;
	trace->remote.state_len = 0;
	opa_sampler_make_id(
		&OPA_G(request).rng, verdict.has_threshold ? verdict.threshold : 0, trace->trace_id);
	tell(&trace->remote, &verdict, &none);
	sampling->erased = false;
	sampling->kept = verdict.sampled ? OPA_KEPT_HEAD : OPA_KEPT_UNDECIDED;
	sampling->begun = opa_clock_mono();
}

const opa_span_limits *opa_sampling_limits(const opa_request_trace *trace)
{
	return opa_sampling_waits(&trace->sampling) ? &OPA_G(request).config->waiting_limits
												: &OPA_G(request).config->limits;
}

opa_str opa_sampling_state(const opa_request_trace *trace, char room[OPA_W3C_STATE_MAX])
{
	opa_str sent = state_of(&trace->remote);
	return trace->sampling.erased ? (opa_str){room, opa_ot_write(sent, NULL, room)} : sent;
}

/* ---- the end ---- */

static opa_kept judge(const opa_request_trace *trace, opa_kept otherwise)
{
	const opa_config *config = OPA_G(request).config;
	if (config->keep_errors &&
		opa_trace_has_error(opa_the_process.spans, OPA_G(request).owner, trace->root)) {
		return OPA_KEPT_ERROR;
	}
	uint64_t age = opa_clock_mono() - trace->sampling.begun;
	return config->keep_slow > 0 && age >= config->keep_slow ? OPA_KEPT_SLOW : otherwise;
}

bool opa_sampling_decide(opa_request_trace *trace, opa_kept otherwise)
{
	opa_sampling *sampling = &trace->sampling;
	if (!opa_sampling_waits(sampling)) {
		return true;
	}
	sampling->kept = judge(trace, otherwise);
	if (opa_sampling_waits(sampling)) {
		return false;
	}
	opa_trace_set_limits(
		opa_the_process.spans, OPA_G(request).owner, trace->root, &OPA_G(request).config->limits);
	return true;
}

static opa_str reason(opa_kept kept)
{
	static const opa_str reasons[] = {[OPA_KEPT_HEAD] = {"head", 4},
		[OPA_KEPT_ERROR] = {"error", 5},
		[OPA_KEPT_SLOW] = {"slow", 4},
		[OPA_KEPT_SIZE] = {"size", 4}};
	return reasons[kept];
}

bool opa_sampling_end(opa_request_trace *trace)
{
	if (!opa_sampling_keeps_at_end(OPA_G(request).config)) {
		return true;
	}
	if (!opa_sampling_decide(trace, OPA_KEPT_UNDECIDED)) {
		count_dropped(&trace->sampling);
		return false;
	}
	opa_span_mark(opa_the_process.spans, OPA_G(request).owner, trace->local_root,
		OPA_STR("opa.kept"), reason(trace->sampling.kept));
	return true;
}
