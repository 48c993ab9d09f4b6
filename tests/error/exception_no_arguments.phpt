--TEST--
Stack traces never carry arguments, whatever zend.exception_ignore_args says
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_no_arguments.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['0', '1'] as $ignore) {
	$run = opa_test_run(<<<'PHP'
<?php
function login(string $user, #[SensitiveParameter] string $password) { throw new Exception('no'); }
try { login('hunter', 'topsecret'); } catch (Exception $e) { opa_record_exception(opa_start_span('s'), $e); }
login('hunter', 'topsecret');
PHP, ['ini' => ['zend.exception_ignore_args' => $ignore, 'display_errors' => '0', 'log_errors' => '0']]);
	show('found', preg_match('/hunter|topsecret/', json_encode($run['spans'])), count(opa_test_root($run)['events']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
found 0 1
found 0 1
