--TEST--
opa_status() has the keys that its documentation names, each of the type that it says
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/status_documented.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

/** Key => type, by the key that they are in: "" for the outermost. */
function documented(): array
{
	$stub = file_get_contents(__DIR__ . '/../../opa.stub.php');
	$comment = strstr($stub, 'function opa_status()', true);
	$comment = substr($comment, strrpos($comment, '/**'));
	preg_match_all('/^ \*( +)- `(\w+)` \(`?([^)`]+)`?\)/m', $comment, $found, PREG_SET_ORDER);
	$keys = [];
	foreach ($found as [, $indent, $key, $type]) {
		$outer = $indent === ' ' ? $key : $outer;
		$keys[$indent === ' ' ? '' : $outer][$key] = $type;
	}
	return $keys;
}

function is_type(mixed $value, string $type): bool
{
	if (preg_match('/^array<string, (\w+)>$/', $type, $m)) {
		return is_array($value) && array_filter($value, static fn (mixed $v, int|string $k): bool
			=> !is_string($k) || get_debug_type($v) !== $m[1], ARRAY_FILTER_USE_BOTH) === [];
	}
	if (preg_match('/^list<(\w+)>$/', $type, $m)) {
		return is_array($value) && array_is_list($value)
			&& array_filter($value, static fn (mixed $v): bool => get_debug_type($v) !== $m[1]) === [];
	}
	return in_array(get_debug_type($value), explode('|', $type), true);
}

/** @param array<string, string> $keys */
function compare(string $what, array $status, array $keys): void
{
	$optional = ['error' => true];
	foreach (array_diff_key($keys, $status, $optional) as $key => $type) {
		show("$what: only documented", $key);
	}
	foreach (array_diff_key($status, $keys) as $key => $value) {
		show("$what: not documented", $key);
	}
	foreach ($status as $key => $value) {
		is_type($value, $keys[$key] ?? 'nothing') || show("$what: of another type", $key, get_debug_type($value));
	}
}

$keys = documented();
show('documented', array_keys($keys), count($keys['']));
$before = opa_status();
opa_end_span(opa_start_span('s'));
opa_flush(0);
file_put_contents(opa_test_spool() . '/state', "pid=1\nupdated=2\n");
$unusable = opa_test_spool() . '/file';
touch($unusable);
foreach (['before' => $before, 'after' => opa_status(),
	'off' => json_decode(opa_test_run('<?php opa_disable(); echo json_encode(opa_status());', ['ini' => ['opa.enabled' => '0']])['out'], true),
	'no spool' => json_decode(opa_test_run('<?php opa_start_span("s"); opa_flush(0); echo json_encode(opa_status());',
		['spool' => "$unusable/spool"])['out'], true)] as $when => $status) {
	compare('status', $status, $keys['']);
	compare('spool', $status['spool'], $keys['spool']);
	compare('exporter', $status['exporter'], $keys['exporter']);
	foreach ($status['settings'] as $name => $setting) {
		array_map(get_debug_type(...), $setting) === $keys['settings'] || show('setting', $name, $setting);
	}
	show($when, $status['trace_id'] !== null, $status['spool']['path'] !== null, isset($status['spool']['error']),
		$status['exporter']['state']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
documented ["","spool","exporter","settings"] 11
before true true false []
after true true false {"pid":"1","updated":"2"}
off false false false []
no spool true false true []
