<?php

/**
 * Request tracing. Every request is a trace already; these functions add what only the program
 * knows.
 *
 * A span id is a string of 16 lower-case hex digits, the first of which is a letter: the span id of
 * W3C Trace Context. It is known from the span's start to its end, and never beyond the request.
 * Nothing that is wrong with an id throws or warns: the functions answer false. When tracing is off
 * an id is "0000000000000000" and every function answers false at once.
 *
 * Tags are the span's attributes: key => value. A value is null (the tag is left out), bool, int,
 * float, string, a list or map of those (nested to depth 4), a BackedEnum (its value), a Stringable
 * or a DateTimeInterface (as string); anything else becomes its type's name. Text that is not UTF-8
 * gets U+FFFD where it is not. Longer text than opa.max_value_length is cut. Values of keys on
 * opa.redact become "REDACTED".
 *
 * Times: a float is Unix seconds; an int below 10^12 is Unix seconds, else Unix nanoseconds; null
 * is now.
 *
 * @generate-class-entries
 */

/**
 * @var string
 * @cvalue PHP_OPA_VERSION
 */
const OPA_VERSION = UNKNOWN;

/**
 * @var int
 * @cvalue OPA_KIND_INTERNAL
 */
const OPA_KIND_INTERNAL = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_KIND_SERVER
 */
const OPA_KIND_SERVER = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_KIND_CLIENT
 */
const OPA_KIND_CLIENT = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_KIND_PRODUCER
 */
const OPA_KIND_PRODUCER = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_KIND_CONSUMER
 */
const OPA_KIND_CONSUMER = UNKNOWN;

/**
 * @var int
 * @cvalue OPA_STATUS_UNSET
 */
const OPA_STATUS_UNSET = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_STATUS_OK
 */
const OPA_STATUS_OK = UNKNOWN;
/**
 * @var int
 * @cvalue OPA_STATUS_ERROR
 */
const OPA_STATUS_ERROR = UNKNOWN;

/**
 * Starts a span, which becomes the current one.
 *
 * @param string $name what is done, without ids or values in it; cut to 1024 bytes
 * @param array<int|string, mixed> $tags
 * @param string|null $parent id of an open span; otherwise, and when it is none, the current span
 * @param int $kind one of OPA_KIND_*
 * @param int|float|null $start when it began
 * @return string its id; "0000000000000000" when tracing is off or a limit is reached
 */
function opa_start_span(string $name, array $tags = [], ?string $parent = null, int $kind = OPA_KIND_INTERNAL, int|float|null $start = null): string {}

/**
 * Starts a trace of its own within the program: for each message of a queue worker, each request of an
 * application server. It becomes the current one, in this fiber and in those that are started here:
 * opa_root_span(), opa_trace_id() and the headers that are sent along are its own, and spans are
 * started in it, until opa_end_trace(). The trace from before stays open, and so do the ids of its
 * spans. The root is linked to the span that was current.
 *
 * Whether it is recorded is decided as for a request: by the headers' decision, if there is one, else by
 * opa.sample_rate, and independently of the request's own trace. Where it is not, the answer is the
 * zero id, and nothing is recorded until opa_end_trace() is called with that; what is sent along says so.
 *
 * @param string $name as of opa_start_span()
 * @param array<int|string, mixed> $tags of its root span
 * @param array<string, mixed>|null $headers of the message, name => value or list of values, names in any
 *        case: the trace goes on from there, as opa.propagators has it. What is malformed is as if it were not
 *        there. opa.trust_incoming is for requests and does not count here
 * @param int $kind of its root span, one of OPA_KIND_*
 * @return string the id of its root span, for opa_end_trace(); "0000000000000000" when it is not recorded
 */
function opa_start_trace(string $name, array $tags = [], ?array $headers = null, int $kind = OPA_KIND_CONSUMER): string {}

/**
 * Ends a trace that opa_start_trace() has started, and publishes it. What is still open in it is closed and
 * marked `opa.unfinished`; from then on none of its ids is known. A trace that is never ended ends with
 * the request, its root marked like the rest; so does the one that was started first when more than
 * 10,000 are open.
 *
 * @param string $span what opa_start_trace() has answered. With the zero id the innermost trace of this fiber
 *                     that is not recorded ends
 * @return bool false when it is no such id, and for the zero id
 */
function opa_end_trace(string $span): bool {}

/**
 * Ends a span. Children that are open stay open. The innermost span that is still open becomes the
 * current one. An end before the start is taken for the start, and marked `opa.time_clamped`.
 *
 * @param int|float|null $end when it ended
 * @return bool false for an id that is not an open span's, and for a root span, which ends with its
 *              request, or by opa_end_trace()
 */
function opa_end_span(string $span, int|float|null $end = null): bool {}

/**
 * Sets one tag; the last value of a key wins.
 *
 * @return bool false when nothing was set: no such open span, a null, an empty key, a limit reached
 */
function opa_add_tag(string $span, string $key, mixed $value): bool {}

/**
 * Sets several tags. Of more than opa.max_attributes in one call the first are taken, also where later
 * ones would overwrite; the others are counted as dropped.
 *
 * @param array<int|string, mixed> $tags
 * @return bool false when one of them, or all, could not be set
 */
function opa_add_tags(string $span, array $tags): bool {}

/**
 * Adds an event: something that happened at one moment within the span.
 *
 * @param array<int|string, mixed> $tags
 * @param int|float|null $time when
 */
function opa_add_event(string $span, string $name, array $tags = [], int|float|null $time = null): bool {}

/**
 * Links the span to a span of any trace.
 *
 * @param string $traceparent as W3C Trace Context writes it: "00-<trace id>-<span id>-<flags>"
 * @param array<int|string, mixed> $tags of the link
 * @return bool false also when $traceparent is not valid
 */
function opa_add_link(string $span, string $traceparent, array $tags = []): bool {}

/**
 * Hangs a span under another open span of the same trace.
 *
 * @return bool false also when that would make a circle, and for the root span
 */
function opa_set_parent(string $span, string $parent): bool {}

/** Renames a span; also the root span. */
function opa_set_name(string $span, string $name): bool {}

/**
 * Sets the status. It outweighs what opa finds by itself (exceptions, a 5xx answer).
 *
 * @param int $status one of OPA_STATUS_*
 * @param string $message why; kept for OPA_STATUS_ERROR only, cut to 1024 bytes
 * @return bool false also for another $status
 */
function opa_set_status(string $span, int $status, string $message = ''): bool {}

/**
 * Records an exception as an event, with its type, message and stack trace and those of the previous
 * ones, never with arguments. The span's status becomes error unless opa_set_status() has set it.
 * The same exception is recorded once on a span.
 *
 * @param array<int|string, mixed> $tags of the event
 */
function opa_record_exception(string $span, Throwable $e, array $tags = []): bool {}

/** Records an exception on the current span. */
function opa_track_error(Throwable $e): bool {}

/**
 * Runs $fn in a span: `opa_trace('render', fn (string $span) => $view->render())`. What $fn throws
 * is recorded and passes through.
 *
 * @param callable(string $span): mixed $fn is given the span's id
 * @param array<int|string, mixed> $tags
 * @return mixed what $fn returns
 */
function opa_trace(string $name, callable $fn, array $tags = []): mixed {}

/**
 * The id of the current span. While tracing is off it is the zero id, so that it can be given to the
 * other functions, which then do nothing; null is kept for what may come.
 */
function opa_current_span(): ?string {}

/**
 * The id of the root span of the trace that goes on here: the request's, or that of opa_start_trace(). The
 * zero id while tracing is off, as of opa_current_span(). Once the client has its answer
 * (fastcgi_finish_request()) the request's root has ended: then it is the id of "after response", its child.
 */
function opa_root_span(): ?string {}

/** The trace id, 32 lower-case hex digits; null when tracing is off. */
function opa_trace_id(): ?string {}

/**
 * What to send along with a call, so that what answers it continues this trace: the value of the
 * header `traceparent` (W3C Trace Context). Of a request that the sampler does not want it says so:
 * its last two digits are `00` or `02`.
 *
 * @param string|null $span the span that makes the call; null, or one that is not open: the current one
 * @return string|null null when tracing is off
 */
function opa_traceparent(?string $span = null): ?string {}

/**
 * The same with everything else that is to be sent along, as headers, in the formats of
 * opa.propagators: `traceparent`, and as far as the caller of this request, or the message, has sent
 * them, `tracestate` and `baggage`; or `b3`, or `X-B3-TraceId`, `X-B3-SpanId` and `X-B3-Sampled` or `X-B3-Flags`.
 * Where sampling is set up `tracestate` says by which probability the trace was chosen.
 *
 * @param string|null $span as in opa_traceparent()
 * @return array<string, string> name => value; empty when tracing is off
 */
function opa_propagation_headers(?string $span = null): array {}

/**
 * Switches tracing on for the rest of the request, which becomes a trace now if it was none.
 *
 * @return bool whether it is on: false when the sampler does not want this request, the spool has a
 *              file `off`, or nothing can be traced here
 */
function opa_enable(): bool {}

/**
 * Switches tracing off for the rest of the request, or until opa_enable(). Nothing new is recorded;
 * what is open stays so and is kept.
 *
 * @return bool whether it was on
 */
function opa_disable(): bool {}

/** Whether tracing is on. */
function opa_is_enabled(): bool {}

/**
 * Records a dump of the values, with file and line, as an event on the current span. Prints nothing,
 * runs none of the program's code. Cut at opa.max_value_length.
 */
function opa_dump(mixed ...$values): void {}

/**
 * Publishes what has finished so far, and waits until the exporter has brought it in. A trace that
 * opa.keep_errors or opa.keep_slow have to decide about at its end is left alone until they can.
 *
 * @param int $timeout_ms how long to wait at most; 0: only publish, and look
 * @return bool whether it was brought in
 */
function opa_flush(int $timeout_ms = 5000): bool {}

/**
 * What is going on, in this process and on this host:
 *
 * - `version` (string): OPA_VERSION
 * - `enabled` (bool): opa_is_enabled()
 * - `trace_id` (string|null): the request's, also while tracing is switched off; null when it has none
 * - `problem` (string): why nothing arrives, as one line; empty when nothing is known to be wrong
 * - `open_spans` (int): spans that are open in this process
 * - `memory` (int): bytes that this process holds for spans
 * - `counters` (`array<string, int>`): what this process has started, kept and dropped, by reason;
 *   phpinfo() says what each of them counts. `opa status` adds all processes up, and says how many traces
 *   were lost with processes that were killed (`traces_lost`)
 * - `spool` (array): the directory that traces wait in
 *   - `path` (string|null): null when there is none yet
 *   - `error` (string): why there is none; absent otherwise
 *   - `memory` (bool): whether it lies in memory (tmpfs)
 *   - `off` (bool): whether its file `off` switches tracing off
 *   - `durable_counters` (bool): whether this process's counters outlive it
 *   - `size` (int): bytes that wait there
 *   - `max_size` (int): bytes, at which new traces are dropped
 * - `exporter` (array): the program that brings traces in
 *   - `path` (string|null): null when it was not found
 *   - `destination` (string): where this process's traces go: `store`, or a collector's URL, without
 *     credentials
 *   - `running` (bool)
 *   - `state` (`array<string, string>`): its own words, as docs/internals-spool.md has them; empty
 *     before it has run
 * - `warnings` (`list<string>`): what of the `OTEL_*` variables, and of opa.propagators, is ignored, and why
 * - `settings` (`array<string, array>`): by name, such as `opa.sample_rate`
 *   - `value` (string): the effective one; secrets are masked
 *   - `source` (string): `default`, `ini`, or the variable that it is from
 *
 * @return array<string, mixed>
 */
function opa_status(): array {}
