<?php

require __DIR__ . '/common.php';

function steps(): Generator
{
	$id = span('generator');
	try {
		for ($i = 0; $i < 10; $i++) {
			opa_add_event($id, 'step', ['i' => $i]);
			yield $i;
		}
	} finally {
		opa_end_span($id);
	}
}
foreach (steps() as $i) {
	if ($i === 3) {
		break;
	}
}
try {
	opa_trace('thrower', static function (string $id): void {
		opa_add_tag($id, 'm', MARKER);
		throw new DomainException('passes through');
	});
} catch (DomainException) {
	echo 'generator';
}
