--TEST--
Proxy headers are honoured only with opa.trust_proxy=1
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trust_proxy.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$headers = ['X-Forwarded-For: 203.0.113.7, 10.0.0.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: shop.example:8443'];
$standard = ['Forwarded: for="[2001:db8::1]:4711";proto=https;host=shop.example, for=10.0.0.1'];
$garbage = ['Forwarded: ;;=;for=;proto="', 'X-Forwarded-For: ,', 'X-Forwarded-Proto: gopher', 'X-Forwarded-Host: [::'];
foreach (['0', '1'] as $trust) {
	$server = new OpaTestServer('<?php', ['opa.trust_proxy' => $trust]);
	foreach ([$headers, $standard, $garbage] as $sent) {
		$tags = $server->trace('/', 'GET', $sent)['tags'];
		show($trust, $tags['client.address'], $tags['url.scheme'], $tags['server.address'], $tags['server.port'] ?? null, $tags['network.peer.address']);
	}
	unset($server);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
0 "127.0.0.1" "http" "example.test" 8080 "127.0.0.1"
0 "127.0.0.1" "http" "example.test" 8080 "127.0.0.1"
0 "127.0.0.1" "http" "example.test" 8080 "127.0.0.1"
1 "203.0.113.7" "https" "shop.example" 8443 "127.0.0.1"
1 "2001:db8::1" "https" "shop.example" %d "127.0.0.1"
1 "127.0.0.1" "http" "[::" %d "127.0.0.1"
