--TEST--
Values under keys on the list are replaced, nested ones too, whatever they are
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/redacted.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Loud {
	public function __toString(): string { echo "must not run\n"; return ''; }
}
$span = opa_test_record(static function (string $id): void {
	opa_add_tag($id, 'password', 'x');
	opa_add_tag($id, 'user.PassWord.hash', ['a' => 1]);
	opa_add_tag($id, 'set-cookie', new Loud());
	opa_add_event($id, 'e', ['authorization' => 'x', 'fine' => 'y']);
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ['token' => 'x']);
	opa_record_exception($id, new Exception('x'), ['api_key' => 'x']);
}, ['secret' => 5, 'token' => null, 'form' => ['name' => 'n', 'deep' => ['signature' => 's', 'x' => 1]], 'list' => [['code' => 1]], 'author' => 'kept']);
show('tags', $span['tags']);
show('event', $span['events'][0]['tags']);
show('link', $span['links'][0]['tags']);
show('exception', $span['events'][1]['tags']['api_key']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"secret":"REDACTED","form":{"name":"n","deep":{"signature":"REDACTED","x":1}},"list":[{"code":"REDACTED"}],"author":"kept","password":"REDACTED","user.PassWord.hash":"REDACTED","set-cookie":"REDACTED"}
event {"authorization":"REDACTED","fine":"y"}
link {"token":"REDACTED"}
exception "REDACTED"
