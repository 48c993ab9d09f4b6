--TEST--
opa_dump() shows no argument of a stack trace, no sensitive parameter, and no value that opa.redact names
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dump_secrets.spool
opa.exporter_path=/nonexistent/opa-exporter
zend.exception_ignore_args=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Login { public string $user = 'me'; private string $password = 'hunter2'; }
function fails(string $secret): never { throw new LogicException('no'); }
$span = opa_test_record(static function (string $id): void {
	try {
		fails('hunter2');
	} catch (LogicException $e) {
		opa_dump($e, new SensitiveParameterValue('hunter2'), ['api_key' => 'hunter2', 'kept' => 1], new Login);
	}
});
$text = $span['events'][0]['tags']['opa.dump'];
var_dump(str_contains($text, 'hunter2'));
echo preg_replace(['~ in .*/~', '~\(\d+\)\}~', '~#\d+~'], [' in ', '(N)}', '#N'], $text);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
bool(false)
LogicException#N {LogicException: no in dump_secrets.php(N)}
SensitiveParameterValue
array(2) {
  api_key => REDACTED
  kept => 1
}
Login#N {
  user => "me"
  password => REDACTED
}
