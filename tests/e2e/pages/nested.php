<?php

require __DIR__ . '/common.php';

function descend(int $depth): void
{
	$id = span("level $depth", ['depth' => $depth]);
	opa_add_event($id, 'entered', ['depth' => $depth]);
	if ($depth < 10) {
		descend($depth + 1);
	}
	opa_end_span($id);
}
descend(1);
echo 'nested';
