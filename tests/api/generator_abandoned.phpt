--TEST--
A span in a generator that is destroyed half-way ends in its finally, or is left open
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/generator_abandoned.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function work(bool $careful) {
	$id = opa_start_span($careful ? 'careful' : 'careless');
	try {
		yield $id;
	} finally {
		$careful && opa_end_span($id);
	}
}
foreach ([true, false] as $careful) {
	$generator = work($careful);
	$id = $generator->current();
	unset($generator);
	show('open', opa_end_span($id));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
open false
open true
