<?php

// Makes spans of all kinds and answers what it did: for a test that compares it with what arrived.

require __DIR__ . '/common.php';

$did = [];

/** A span with what the test needs to know of it. */
function make(string $name, array $tags, ?string $parent, int $kind = OPA_KIND_INTERNAL): string
{
	global $did;
	$id = opa_start_span($name, $tags, $parent, $kind);
	$did[$id] = ['name' => $name, 'tags' => $tags, 'parent' => $parent ?? opa_root_span(), 'kind' => $kind,
		'events' => [], 'links' => [], 'status' => 0];
	return $id;
}

$outer = make('outer', ['string' => "text \u{1F600}", 'empty' => '', 'int' => PHP_INT_MIN, 'large' => PHP_INT_MAX,
	'float' => 1.5, 'whole' => 3.0, 'true' => true, 'false' => false, 'list' => [1, 'two', 3.5, [true]],
	'map' => ['a' => 1, 'b' => ['c' => 'd']], 'm' => MARKER], null);
foreach ([OPA_KIND_SERVER, OPA_KIND_CLIENT, OPA_KIND_PRODUCER, OPA_KIND_CONSUMER] as $i => $kind) {
	$inner = make("kind $kind", ['i' => $i], $outer, $kind);
	opa_add_tag($inner, 'later', "value $i");
	$did[$inner]['tags']['later'] = "value $i";
	opa_add_event($inner, 'happened', ['what' => $i, 'so' => true]);
	$did[$inner]['events'][] = ['name' => 'happened', 'tags' => ['what' => $i, 'so' => true]];
	opa_end_span($inner);
}
$failed = make('failed', [], $outer);
opa_set_status($failed, OPA_STATUS_ERROR, 'it did not work');
$did[$failed]['status'] = 2;
$did[$failed]['message'] = 'it did not work';
opa_end_span($failed);
$linked = make('linked', [], $outer);
opa_add_link($linked, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ['why' => 'because']);
$did[$linked]['links'][] = ['traceId' => '0af7651916cd43dd8448eb211c80319c', 'spanId' => 'b7ad6b7169203331',
	'tags' => ['why' => 'because']];
opa_set_name($linked, 'linked and renamed');
$did[$linked]['name'] = 'linked and renamed';
opa_end_span($linked);
opa_end_span($outer);
header('Content-Type: application/json');
echo json_encode(['trace' => opa_trace_id(), 'root' => opa_root_span(), 'did' => $did, 'pid' => getmypid(),
	'sapi' => PHP_SAPI, 'version' => PHP_VERSION], JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR);
