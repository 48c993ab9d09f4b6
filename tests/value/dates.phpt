--TEST--
Dates are text with microseconds and the zone's offset
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dates.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Mine extends DateTimeImmutable {}
class Own extends DateTime {
	public function format(string $format): string { return 'own ' . strlen($format); }
}
class Bad extends DateTime {
	public function __construct() {}
}
class Throws extends DateTime {
	public function format(string $format): string { throw new Exception('no'); }
}
$zone = new DateTimeZone('+05:30');
show('tags', opa_test_record(null, ['mutable' => new DateTime('2024-02-29 12:34:56.789', new DateTimeZone('UTC')),
	'immutable' => new DateTimeImmutable('2024-01-01', $zone), 'mine' => new Mine('@0.5'), 'own' => new Own(),
	'bad' => new Bad(), 'throws' => new Throws(), 'zone' => $zone])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"mutable":"2024-02-29T12:34:56.789000+00:00","immutable":"2024-01-01T00:00:00.000000+05:30","mine":"1970-01-01T00:00:00.500000+00:00","own":"own 15","bad":"Bad","throws":"Throws","zone":"DateTimeZone"}
