<?php

require __DIR__ . '/common.php';

$id = span('before the end of the answer');
echo 'finish';
fastcgi_finish_request();
opa_end_span($id);
opa_end_span(span('after it'));
