<?php

require __DIR__ . '/common.php';

open_spans(2);
sleep(60);
