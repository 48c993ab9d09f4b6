<?php

require __DIR__ . '/common.php';

enum Suit: string
{
	case Hearts = 'h';
}

final class Printed implements Stringable
{
	public function __toString(): string
	{
		return 'printed';
	}
}

final class Thrower implements Stringable
{
	public function __toString(): string
	{
		throw new RuntimeException('no text');
	}
}

$loop = ['a' => 1];
$loop['self'] = &$loop;
$handle = fopen('php://memory', 'r');
$id = span('tags', [
	'null' => null, 'true' => true, 'false' => false, 'int' => PHP_INT_MIN, 'float' => 1.5, 'nan' => NAN,
	'string' => "text \u{1F600}", 'binary' => "\xff\x00\xfe", 'list' => [1, 'two', 3.0, null, [true]],
	'map' => ['a' => 1, 'b' => ['c' => ['d' => ['e' => 1]]]], 'enum' => Suit::Hearts,
	'stringable' => new Printed(), 'thrower' => new Thrower(), 'date' => new DateTimeImmutable('@0'),
	'object' => new stdClass(), 'closure' => static fn () => 1, 'resource' => $handle, 'loop' => $loop,
	'long' => str_repeat('long ', 10000), 7 => 'a number as key', 'password' => 'hunter2',
]);
for ($i = 0; $i < 300; $i++) {
	opa_add_tag($id, "tag $i", $i);
	opa_add_tag($id, 'same', $i);
}
opa_add_event($id, 'event', ['at' => 1700000000.25], 1700000000.25);
opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
opa_set_status($id, OPA_STATUS_OK);
opa_dump($loop, new Printed());
opa_end_span($id);
echo 'tags';
