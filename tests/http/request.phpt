--TEST--
A request's root span has the facts of HTTP
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/request.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php http_response_code(201); echo "x";');
$span = $server->trace('/shop/item?id=5&page=2', 'POST', ['User-Agent: a browser', 'Content-Length: 0']);
show('span', $span['name'], $span['kind'], $span['status'], $span['parent']);
foreach (['http.request.method', 'url.path', 'url.scheme', 'url.query', 'http.response.status_code', 'server.address', 'server.port',
	'client.address', 'network.peer.address', 'user_agent.original', 'network.protocol.version', 'http.route', 'error.type'] as $key) {
	show($key, $span['tags'][$key] ?? null);
}
show('peer port', $span['tags']['network.peer.port'] > 0);
show('runtime', $span['resource']['process.runtime.name']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
span "POST" 2 0 ""
http.request.method "POST"
url.path "/shop/item"
url.scheme "http"
url.query "id=5&page=2"
http.response.status_code 201
server.address "example.test"
server.port 8080
client.address "127.0.0.1"
network.peer.address "127.0.0.1"
user_agent.original "a browser"
network.protocol.version "1.1"
http.route null
error.type null
peer port true
runtime "cli-server"
