--TEST--
A Throwable as a value is its class, message and place, never the arguments that its own text has
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/throwable.spool
opa.exporter_path=/nonexistent/opa-exporter
zend.exception_ignore_args=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function fails(string $secret): never { throw new LogicException('no'); }
$span = opa_test_record(static function (string $id): void {
	try {
		fails('hunter2');
	} catch (LogicException $e) {
		opa_add_tag($id, 'one', $e);
		opa_add_tag($id, 'list', ['e' => $e]);
	}
});
$show = fn (string $text): string => preg_replace(['~ in .*/~', '~\(\d+\)~'], [' in ', '(N)'], $text);
echo $show($span['tags']['one']), "\n", $show($span['tags']['list']->e), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
LogicException: no in throwable.php(N)
LogicException: no in throwable.php(N)
