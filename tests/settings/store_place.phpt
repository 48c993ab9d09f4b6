--TEST--
On the command line, and with php -S, the store is looked for below the user's home
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/store_place.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

function places(string $spool): void
{
	foreach (glob("$spool/dest/*") as $file) {
		echo implode("\n", preg_grep('/^(home|state_dir|path)=/', file($file, FILE_IGNORE_NEW_LINES))), "\n";
	}
}

$env = ['HOME' => '/home/me', 'XDG_STATE_HOME' => '/home/me/state'];
places(opa_test_run('<?php opa_flush(0);', ['env' => $env])['spool']);
$server = new OpaTestServer('<?php opa_flush(0);', [], $env);
$server->trace('/');
places($server->spool);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
state_dir=/home/me/state
home=/home/me
state_dir=/home/me/state
home=/home/me
