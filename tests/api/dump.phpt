--TEST--
opa_dump() records a bounded dump with file and line, prints nothing and runs no code
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dump.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

#[AllowDynamicProperties]
class Thing {
	public $public = 1;
	protected $protected = 'two';
	private $private = [3.5];
	public ?Thing $self = null;
	public int $never;
	public function __get($name) { echo "must not run\n"; }
	public function __debugInfo() { echo "must not run\n"; return []; }
	public function __toString(): string { echo "must not run\n"; return ''; }
}
$thing = new Thing();
$span = opa_test_record(static function (string $id) use ($thing): void {
	opa_dump();
	opa_dump(null, true, false, -7, 2.5, NAN, 'text', [1, 'k' => ['nested']], fn () => 1);
	opa_dump($thing);
	$thing->{'dyna mic'} = 'added';
	opa_dump($thing);
});
foreach ($span['events'] as $event) {
	show($event['name'], basename($event['tags']['code.file.path']), $event['tags']['code.line.number'] > 1);
	echo preg_replace('/#\d+/', '#N', $event['tags']['opa.dump']), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
dump "dump.php" true

dump "dump.php" true
null
true
false
-7
2.5
NAN
"text"
array(2) {
  0 => 1
  k => array(1) {
    0 => "nested"
  }
}
Closure#N {
}

dump "dump.php" true
Thing#N {
  public => 1
  protected => "two"
  private => array(1) {
    0 => 3.5
  }
  self => null
}

dump "dump.php" true
Thing#N {
  public => 1
  protected => "two"
  private => array(1) {
    0 => 3.5
  }
  self => null
  dyna mic => "added"
}
