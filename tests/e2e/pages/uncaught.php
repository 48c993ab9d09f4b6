<?php

require __DIR__ . '/common.php';

open_spans(1);
throw new RuntimeException('nobody catches this', 7, new LogicException('the reason'));
