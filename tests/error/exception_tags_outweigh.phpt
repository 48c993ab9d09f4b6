--TEST--
Tags under an exception's own keys take their place
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_tags_outweigh.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	opa_record_exception($id, new Exception('its own'), ['exception.message' => 'given', 'more' => 1]);
});
$tags = $span['events'][0]['tags'];
show('message', $tags['exception.message'], $tags['exception.type'], $tags['more']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
message "given" "Exception" 1
