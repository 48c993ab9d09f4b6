<?php

// Every page includes this first. The marker says which request a trace belongs to.

define('MARKER', (string) ($_GET['m'] ?? ''));
header('X-Marker: ' . MARKER);
header('X-Pid: ' . getmypid());
header('X-Trace: ' . opa_trace_id());
opa_add_tag((string) opa_root_span(), 'marker', MARKER);

/** A span that says whose it is. */
function span(string $name, array $tags = []): string
{
	return opa_start_span($name, $tags + ['m' => MARKER]);
}

/** Spans within each other, left open. */
function open_spans(int $depth): string
{
	$id = '';
	for ($i = 0; $i < $depth; $i++) {
		$id = span("open $i");
	}
	return $id;
}
