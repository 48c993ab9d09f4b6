<?php

require __DIR__ . '/common.php';

opa_end_span(span('before'));
opa_flush(0);
opa_end_span(span('after'));
echo 'flush';
