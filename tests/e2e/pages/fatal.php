<?php

require __DIR__ . '/common.php';

open_spans(1);
require __DIR__ . '/there-is-no-such-file.php';
