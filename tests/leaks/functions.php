<?php
/* Every function of opa's, good and bad arguments, a thousand times: nothing may stay behind. */
declare(strict_types=1);

$values = ['text', 7, 2.5, true, null, ['a' => [1, 2, ['b' => 'c']]], new DateTimeImmutable('@0')];

for ($i = 0; $i < 1000; $i++) {
	$span = opa_start_span("span $i", ['first' => $i, 'list' => $values]);
	foreach ($values as $key => $value) {
		opa_add_tag($span, "key $key", $value);
		opa_add_tag($span, 'overwritten', str_repeat('x', $i % 100));
	}
	opa_add_tags($span, ['a' => 'b', 'c' => $values]);
	opa_add_event($span, 'event', ['values' => $values], microtime(true));
	opa_add_link($span, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ['why' => 'test']);
	opa_add_link($span, 'not a traceparent');
	$child = opa_start_span('child', [], $span, OPA_KIND_CLIENT, microtime(true));
	opa_set_parent($child, opa_root_span() ?? '');
	opa_set_parent($span, $child);
	opa_set_name($child, 'renamed');
	opa_set_status($child, OPA_STATUS_ERROR, 'no');
	opa_record_exception($child, new RuntimeException('outer', 1, new LogicException('inner')));
	opa_track_error(new Error('tracked'));
	opa_dump($values, $span);
	opa_trace('traced', static fn (string $id): bool => opa_add_tag($id, 'in', 'side'));
	try {
		opa_trace('throws', static fn () => throw new DomainException('passes'));
	} catch (DomainException) {
	}
	opa_end_span($child);
	opa_end_span($span);
	opa_add_tag($span, 'late', 'refused');
	opa_end_span('0123456789abcdef');
	$job = opa_start_trace("job $i", ['values' => $values], ['traceparent' => ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0' . $i % 2],
		'Tracestate' => ['a=1', 'b=2'], 'baggage' => "n=$i"]);
	opa_propagation_headers();
	opa_start_trace('left open within', [], ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', 'baggage' => 'a=1']);
	opa_start_span('in job');
	opa_end_trace($job);
	opa_end_trace($job);
}
opa_start_trace('switched off', ['a' => new class {
	public function __toString(): string
	{
		opa_disable();
		return 'x';
	}
}], ['baggage' => 'a=' . implode(',', $argv)]);
opa_enable();
// Some stay open for opa to close.
opa_start_span('left open', ['values' => $values]);
$fiber = new Fiber(static function (): void {
	opa_start_span('in a fiber');
	Fiber::suspend();
});
$fiber->start();
opa_disable();
opa_start_span('not recorded');
opa_enable();
opa_status();
