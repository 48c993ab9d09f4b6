<?php

require __DIR__ . '/common.php';

final class Suspends implements Stringable
{
	public function __toString(): string
	{
		return (string) Fiber::suspend();
	}
}

$resumed = new Fiber(static function (): void {
	$id = span('in a fiber', ['text' => new Suspends(), 'list' => ['a', new Suspends()]]);
	opa_end_span($id);
});
$left = new Fiber(static function (): void {
	opa_add_tag(span('in a fiber that is left in a call'), 'never', [str_repeat('x', 5000), new Suspends()]);
});
$destroyed = new Fiber(static function (): void {
	opa_add_event(span('in a fiber that is destroyed in a call'), 'never', [new Suspends()]);
});
$resumed->start();
$left->start();
$destroyed->start();
$between = span('between');
$resumed->resume('first');
unset($destroyed);
$resumed->resume('second');
opa_end_span($between);
echo 'tostring_fiber';
