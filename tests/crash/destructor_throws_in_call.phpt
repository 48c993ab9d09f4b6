--TEST--
A destructor that runs because opa lets go of a value may throw and call opa
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/destructor_throws_in_call.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Text {
	public function __toString(): string { return 'text'; }
	public function __destruct() {
		opa_end_span(opa_start_span('in destructor'));
		throw new LogicException('from the destructor');
	}
}
class Gives {
	public function __toString(): string {
		$GLOBALS['list'] = null;
		return 'gives';
	}
}
$list = [new Gives(), new Text()];
$tags = ['a' => &$list];
$id = opa_start_span('s');
try {
	opa_add_tags($id, $tags);
	echo "not thrown\n";
} catch (LogicException $e) {
	echo $e->getMessage(), "\n";
}
show('end', opa_end_span($id), opa_current_span() === opa_root_span());
show('tags', opa_test_span('s')['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
from the destructor
end true true
tags {"a":["gives","text"]}
