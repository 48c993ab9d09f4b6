<?php

require __DIR__ . '/common.php';

$root = opa_root_span();
$open = span('open at the answer');
echo 'answered';
http_response_code(201);
$first = fastcgi_finish_request();
$second = fastcgi_finish_request();
opa_add_tag($open, 'finished', [$first, $second]);
opa_add_tag($open, 'root', [opa_add_tag($root, 'late', 1), opa_end_span($root), opa_root_span() === $root]);
opa_end_span($open);
opa_end_span(span('later'));
usleep(300_000);
if (isset($_GET['fail'])) {
	throw new RuntimeException('after the answer');
}
