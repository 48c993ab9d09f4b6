<?php

require __DIR__ . '/common.php';

$before = span('before');
opa_disable();
$off = span('while it is off');
opa_add_tag($before, 'not', 'recorded');
opa_end_span($off);
opa_enable();
opa_add_tag($before, 'again', true);
opa_end_span($before);
opa_end_span(span('after'));
opa_disable();
echo 'disable';
