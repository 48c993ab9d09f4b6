--TEST--
A loop of a million spans: each is stored or counted, and memory stays flat
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (getenv('SKIP_SLOW_TESTS')) die('skip slow');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip too slow for valgrind');
?>
--INI--
opa.spool_dir={PWD}/spans_million.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

// The journals are counted, not decoded: each record's header says how many spans it has.
function resident(): int
{
	return (int) explode(' ', (string) file_get_contents('/proc/self/statm'))[1] * 4096;
}

$count = 1000000;
for ($i = 0; $i < $count; $i++) {
	if ($i === 1000) {
		$before = resident();
	}
	$id = opa_start_span('one');
	opa_add_tag($id, 'number', 'ten chars.');
	opa_end_span($id);
	if ($i % 100000 === 99999) {
		opa_flush(0);
	}
}
$grown = resident() - $before;
// ASan keeps what was freed.
$is_known = PHP_OS_FAMILY === 'Linux' && getenv('USE_ZEND_ALLOC') !== '0';
show('flat from the 1,000th on', !$is_known || $grown <= 1 << 20 ? true : $grown);
opa_flush(0);
$stored = 0;
foreach (glob(opa_test_spool() . '/{live,sealed}/*.j', GLOB_BRACE) as $path) {
	$bytes = (string) file_get_contents($path);
	for ($at = 72; $at + 48 <= strlen($bytes); $at += 48 + $header['length']) {
		$header = unpack('Vmagic/Vtype/Vlength/Vcrc/Vspans', $bytes, $at);
		$stored += $header['spans'];
	}
}
$counters = opa_status()['counters'];
show('accounted', array_sum(array_filter($counters, static fn (string $name): bool =>
	str_starts_with($name, 'spans_dropped') || str_starts_with($name, 'dropped_'), ARRAY_FILTER_USE_KEY)) + $stored);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
flat from the 1,000th on true
accounted 1000000
