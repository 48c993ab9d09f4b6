<?php

require __DIR__ . '/common.php';

$good = span('good');
$ids = ['', '0', '0000000000000000', 'ffffffffffffffff', 'xyz', strtoupper($good), "$good ", substr($good, 1),
	str_repeat('a', 1 << 16), "\0\1\2\xff", "a\0bcdefghijklmno", random_bytes(16), bin2hex(random_bytes(8))];
foreach ($ids as $id) {
	$wrong = opa_add_tag($id, 'k', 'v') || opa_add_tags($id, ['k' => 'v']) || opa_end_span($id)
		|| opa_add_event($id, 'e') || opa_set_parent($id, $good) || opa_set_parent($good, $id)
		|| opa_set_name($id, 'n') || opa_set_status($id, OPA_STATUS_ERROR)
		|| opa_record_exception($id, new Exception('e'))
		|| opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
	if ($wrong) {
		opa_add_tag($good, 'wrong', bin2hex(substr($id, 0, 20)));
		http_response_code(599);
	}
}
opa_add_link($good, str_repeat('x', 1 << 16));
opa_end_span($good);
opa_add_tag($good, 'after', 'end');
echo 'garbage';
