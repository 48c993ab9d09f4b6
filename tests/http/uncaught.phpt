--TEST--
An uncaught exception names the error's type; a 5xx does not hide it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/uncaught.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php throw new DomainException("boom");', ['display_errors' => '0']);
$span = $server->trace('/');
show('span', $span['status'], $span['message'], $span['tags']['error.type'], $span['tags']['http.response.status_code']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
span 2 "boom" "DomainException" 500
