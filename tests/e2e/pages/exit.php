<?php

require __DIR__ . '/common.php';

function leave(): never
{
	opa_trace('outer', static function (string $id): void {
		opa_add_tag($id, 'm', MARKER);
		open_spans(2);
		echo 'exit';
		exit(3);
	});
	throw new LogicException('not reached');
}
leave();
