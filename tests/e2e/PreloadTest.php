<?php

declare(strict_types=1);

namespace Opa\Tests;

/** opcache.preload runs in FPM's master, before there are pools. */
final class PreloadTest extends ServerTestCase
{
	public function testThePreloadIsNoTraceAndEachPoolHasItsOwnSettings(): void
	{
		if (!is_file(PHP_EXTENSION_DIR . '/opcache.so')) {
			self::markTestSkipped('opcache is not a module of this PHP');
		}
		$a = new Pool('a');
		$b = new Pool('b');
		$a->env = ['OTEL_SERVICE_NAME' => 'shop'];
		$b->settings = ['opa.service_name' => 'desk'];
		$site = $this->site($a, $b);
		$preload = "$site->directory/preload.php";
		$said = "$site->directory/tmp/said";
		file_put_contents($preload, '<?php class Preloaded { const X = 7; }
			$span = opa_start_span("in preload");
			file_put_contents(' . var_export($said, true) . ', json_encode([opa_end_span($span), opa_trace_id(),
				opa_enable(), opa_status()["spool"]["path"]]) . "\n", FILE_APPEND);');
		chmod($preload, 0644);
		$site->env = ['OTEL_SERVICE_NAME' => 'the master'];
		$site->ini = ['opcache.preload' => $preload, 'opcache.preload_user' => 'www-data',
			'opa.spool_dir' => "$site->directory/tmp/spool"];
		$site->start();

		self::assertStringContainsString("[false,null,false,null]\n", (string) file_get_contents($said));
		self::assertDirectoryDoesNotExist("$site->directory/tmp/spool");
		foreach ([[$a, 'shop'], [$b, 'desk']] as [$pool, $service]) {
			$trace = self::trace($pool, self::visit($pool, 'plain'));
			self::assertSame($service, $trace->resource['service.name']);
			self::assertSame(1, (int) $pool->store()->value('SELECT count(*) FROM traces'));
			$answer = Client::get($pool->url('preloaded_constant', 'm=' . self::marker()));
			self::assertSame('7', $answer->body);
		}
	}
}
