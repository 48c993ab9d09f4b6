--TEST--
An exception is an event with type, message and a stack trace that has the previous ones
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_chain.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Mine extends RuntimeException {}
function fails(string $secret): never { throw new LogicException('inner'); }
$span = opa_test_record(static function (string $id): void {
	try {
		try {
			fails('argument');
		} catch (LogicException $e) {
			throw new Mine('outer', 3, $e);
		}
	} catch (Mine $e) {
		show('recorded', opa_record_exception($id, $e, ['extra' => 1]));
	}
});
[$event] = $span['events'];
show('event', $event['name'], $event['tags']['exception.type'], $event['tags']['exception.message'], $event['tags']['extra']);
show('status', $span['status'], $span['message']);
// 8.4 puts file and line into a closure's name.
echo preg_replace(['~\{closure:[^}]*\}~', '~ in .*/~', '~#(\d+) /.*/~', '~\(\d+\)~'], ['{closure}', ' in ', '#$1 ', '(N)'], $event['tags']['exception.stacktrace']), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
recorded true
event "exception" "Mine" "outer" 1
status 2 "outer"
Mine: outer in exception_chain.php(N)
#0 trace.inc(N): {closure}()
#1 exception_chain.php(N): opa_test_record()
#2 {main}
Caused by: LogicException: inner in exception_chain.php(N)
#0 exception_chain.php(N): fails()
#1 trace.inc(N): {closure}()
#2 exception_chain.php(N): opa_test_record()
#3 {main}
