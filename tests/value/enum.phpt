--TEST--
A backed enum is its value, another one its type's name
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/enum.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

enum Suit: string { case Hearts = 'h'; const X = self::Hearts; }
enum Level: int { case High = 3; }
enum Pure { case One; }
show('tags', opa_test_record(null, ['string' => Suit::Hearts, 'int' => Level::High, 'pure' => Pure::One, 'list' => [Suit::X, Level::High, Pure::One]])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"string":"h","int":3,"pure":"Pure","list":["h",3,"Pure"]}
