<?php

require __DIR__ . '/common.php';

$open = span('open');
ini_set('opa.enabled', '0');
$none = span('while it is off');
if (opa_is_enabled() || opa_add_tag($none, 'not', 'recorded') || opa_end_span($none) || opa_end_span($open)) {
	http_response_code(599);
}
ini_set('opa.enabled', '1');
opa_end_span(span('on again'));
opa_end_span($open);
ini_set('opa.enabled', 'off');
echo 'ini';
