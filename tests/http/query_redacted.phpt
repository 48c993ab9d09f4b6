--TEST--
Secrets in the query are replaced, however they are written
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/query_redacted.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php');
foreach (['token=abc&x=1', 'a=1&PassWord=p&b=2', 'password[]=p&password[x]=q', 'p%61ssword=p', 'user[password]=x&user[name]=y', 'code=123&encode=kept',
	'api_key', 'x=1;token=2', 'token=a=b&c', '&&=&', 'X-Amz-Signature=abc&sig=x'] as $query) {
	show($query, $server->trace("/?$query")['tags']['url.query'] ?? null);
}
show('none', $server->trace('/?')['tags']['url.query'] ?? null);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
token=abc&x=1 "token=REDACTED&x=1"
a=1&PassWord=p&b=2 "a=1&PassWord=REDACTED&b=2"
password[]=p&password[x]=q "password[]=REDACTED&password[x]=REDACTED"
p%61ssword=p "p%61ssword=REDACTED"
user[password]=x&user[name]=y "user[password]=REDACTED&user[name]=y"
code=123&encode=kept "code=REDACTED&encode=kept"
api_key "api_key"
x=1;token=2 "x=1;token=REDACTED"
token=a=b&c "token=REDACTED&c"
&&=& "&&=&"
X-Amz-Signature=abc&sig=x "X-Amz-Signature=REDACTED&sig=REDACTED"
none null
