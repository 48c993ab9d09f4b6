<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class StatusCommand implements Command
{
	private const LABEL = 11;

	/** Seconds after which an exporter hangs that runs and says nothing: it writes `state` every ten. */
	private const SILENCE = 60;

	/** What became of spans that are not in the store, and what was cut off those that are. */
	private const LOSSES = [
		'traces_lost' => 'traces lost: their process died in the middle of them',
		'spans_dropped_spool_full' => 'spans dropped: opa.spool_max_size was reached',
		'spans_dropped_disk_full' => "spans dropped: the spool's file system is full",
		'spans_dropped_no_spool' => 'spans dropped: no spool directory, or no file in it',
		'spans_dropped_no_descriptor' => 'spans dropped: RLIMIT_NOFILE was reached',
		'spans_dropped_file_limit' => 'spans dropped: RLIMIT_FSIZE is too low',
		'spans_dropped_io_error' => 'spans dropped: the write failed',
		'spans_dropped_too_large' => "spans dropped: above the journal's limit for a record",
		'spans_dropped_no_memory' => 'spans dropped: out of memory',
		'collector_spans_rejected' => 'spans rejected by the collector',
		'collector_spans_dropped_malformed' => 'spans dropped: the collector refused their records (the last are in rejected/)',
		'collector_spans_dropped_refused' => 'spans dropped: the collector refused to take any',
		'exporter_bytes_skipped' => 'bytes of damage in journals',
		'exporter_spans_undecodable' => 'spans that could not be decoded',
		'journals_lost' => 'journals removed beneath a live process',
		'refused_trace_size' => 'calls refused: opa.max_trace_size was reached',
		'refused_no_memory' => 'calls refused: out of memory',
		'attributes_dropped' => 'tags dropped: beyond opa.max_attributes',
		'events_dropped' => 'events dropped: beyond opa.max_events',
		'links_dropped' => 'links dropped: beyond opa.max_links',
		'values_cut' => 'values cut: beyond opa.max_value_length',
	];

	private Context $context;

	/** @var array<string, array<string, string>> what each spool's exporter had said before we came */
	private array $before = [];

	public static function spec(): Spec
	{
		return new Spec('status', '', 'says how the recording is doing', [
			new Option('json', '', 'one JSON object'),
		], [
			'opa status' => 'store, spool, exporter, and what was dropped and why',
			'opa status --user www-data' => "as root: another user's",
			'opa status --json | jq .losses' => 'for a monitor',
		]);
	}

	public function __construct(private readonly Options $options, Clock $clock)
	{
	}

	public function run(Context $context): int
	{
		$this->context = $context;
		foreach ($context->sources->spools() as $spool) {
			$this->before[$spool->path] = $spool->state();
		}
		$store = $problem = null;
		try {
			$store = $context->store();
		} catch (Problem $e) {
			$problem = $e;
		}
		$facts = [
			'version' => Application::VERSION,
			'extension' => phpversion('opa') ?: null,
			'warnings' => function_exists('opa_status') ? (opa_status()['warnings'] ?? []) : [],
			'user' => $context->env->user->name,
			'store' => $store === null ? null : $this->storeFacts($store),
			'spools' => array_map($this->spoolFacts(...), $context->sources->spools()),
			'exporter' => (new Importer($context->env))->find(),
			'counters' => $this->counters($store),
		];
		$facts['losses'] = array_filter(array_intersect_key($facts['counters'], self::LOSSES));
		// Who sends everything to a collector needs no store.
		$sent = array_merge([], ...array_column($facts['spools'], 'collectors')) !== [];
		$code = $problem === null || $sent ? 0 : 1;
		if ($this->options->has('json')) {
			$context->out->json(['counters' => (object) $facts['counters'],
				'losses' => (object) $facts['losses']] + $facts, true);
			return $code;
		}
		$this->print($facts, $problem);
		return $code;
	}

	/** @return array<string, mixed> */
	private function storeFacts(Store $store): array
	{
		$size = (int) @filesize($store->path) + (int) @filesize($store->path . '-wal');
		$row = $store->rows('SELECT count(*) AS traces, coalesce(sum(spans), 0) AS spans,
			min(start_ns) AS oldest, max(start_ns) AS newest FROM traces')[0];
		return [
			'path' => $store->path,
			'bytes' => $size,
			'traces' => (int) $row['traces'],
			'spans' => (int) $row['spans'],
			'oldest' => $row['oldest'] === null ? null : Format::rfc3339((int) $row['oldest']),
			'newest' => $row['newest'] === null ? null : Format::rfc3339((int) $row['newest']),
		];
	}

	/**
	 * What brings the journals in for this command is an exporter, too: of what it says only problems
	 * are of interest.
	 * @return array<string, mixed>
	 */
	private function spoolFacts(Spool $spool): array
	{
		$problems = ['problem' => 0, 'last_error' => 0, 'last_error_time' => 0];
		$now = $spool->state();
		$running = $spool->isServed();
		$state = $running ? $now : array_intersect_key($now, $problems)
			+ array_diff_key($this->before[$spool->path] ?? [], $problems);
		$live = $spool->journals('live');
		$sealed = $spool->journals('sealed');
		return [
			'path' => $spool->path,
			'off' => $spool->isOff(),
			'live' => count($live),
			'sealed' => count($sealed),
			'bytes' => array_sum($live) + array_sum($sealed),
			'disk_full' => $spool->isDiskFull(),
			'uncounted' => $spool->uncounted(),
			'collectors' => $spool->collectors(),
			'exporter_running' => $running,
			'problem' => self::problem($spool, $state, $running),
			'state' => (object) $state,
		];
	}

	/**
	 * The store has what processes that are gone had counted, the spool what the others have.
	 * @return array<string, int>
	 */
	private function counters(?Store $store): array
	{
		$sum = [];
		foreach ($store?->rows('SELECT name, value FROM counters') ?? [] as $row) {
			$sum[$row['name']] = (int) $row['value'];
		}
		$stored = $store?->positions() ?? [];
		foreach ($this->context->sources->spools() as $spool) {
			foreach ($spool->counters($stored) as $name => $value) {
				$sum[$name] = ($sum[$name] ?? 0) + $value;
			}
		}
		ksort($sum);
		return $sum;
	}

	/**
	 * Why what waits in a spool does not arrive.
	 * @param array<string, string> $state
	 */
	public static function problem(Spool $spool, array $state, bool $running): ?string
	{
		$silence = time() - (int) ($state['updated'] ?? 0);
		if ($running && $silence > self::SILENCE) {
			return "the exporter (pid $state[pid]) hangs: it has not been heard of for $silence s";
		}
		$errno = $spool->launchErrno();
		if (!$running && $errno > 0) {
			$why = function_exists('posix_strerror') ? posix_strerror($errno) : "errno $errno";
			return "the exporter could not be started: $why";
		}
		if (!$running && $spool->isMute()) {
			return 'the exporter ends as soon as it is started; run by hand it says why:  '
				. "opa-exporter --once --spool $spool->path";
		}
		return $state['problem'] ?? null;
	}

	/** @param array<string, mixed> $facts */
	private function print(array $facts, ?Problem $problem): void
	{
		$extension = $facts['extension'] === null ? 'not loaded in this PHP (' . PHP_BINARY . ')'
			: "opa $facts[extension] in PHP " . PHP_VERSION;
		$this->fact('Extension', $extension);
		foreach ($facts['warnings'] as $warning) {
			$this->fact('Warning', $warning, 'yellow');
		}
		$this->fact('User', $facts['user']);
		if ($facts['store'] === null) {
			$this->fact('Store', $problem?->getMessage() ?? 'none', 'yellow');
			foreach (preg_grep('/opa status/', explode("\n", $problem?->hint ?? ''), PREG_GREP_INVERT) as $line) {
				$this->fact('', $line, 'dim');
			}
		} else {
			$this->printStore($facts['store']);
		}
		if ($facts['spools'] === []) {
			$this->fact('Spool', 'none found', 'yellow');
		}
		foreach ($facts['spools'] as $spool) {
			$this->printSpool($spool);
		}
		if ($facts['exporter'] === null) {
			$this->fact('Import', 'opa-exporter was not found beside opa.so (OPA_EXPORTER names it)', 'yellow');
		}
		$this->printCounters($facts['counters']);
		$this->printLosses($facts['losses'], $facts['spools']);
	}

	/** @param array<string, mixed> $store */
	private function printStore(array $store): void
	{
		$this->fact('Store', $store['path'], 'bold');
		$text = Format::bytes($store['bytes']) . ' · ' . Format::plural($store['traces'], 'trace') . ' · '
			. Format::plural($store['spans'], 'span');
		if ($store['oldest'] !== null) {
			$text .= ' · oldest ' . Format::ago(time() - strtotime($store['oldest']))
				. ' · newest ' . Format::ago(time() - strtotime($store['newest']));
		}
		$this->fact('', $text);
	}

	/** @param array<string, mixed> $spool */
	private function printSpool(array $spool): void
	{
		$this->fact('Spool', $spool['path'], 'bold');
		if ($spool['off']) {
			$this->fact('', "tracing is off: $spool[path]/off exists", 'yellow');
		}
		$this->fact('', Format::plural($spool['live'], 'journal') . ' of live processes, '
			. Format::count($spool['sealed']) . ' sealed, ' . Format::bytes($spool['bytes']));
		foreach ($spool['collectors'] as $url) {
			$this->fact('Collector', $url, 'bold');
		}
		if ($spool['disk_full']) {
			$this->fact('Problem', 'the file system is full: new traces are dropped', 'error');
		}
		$state = (array) $spool['state'];
		$this->fact('Exporter', $this->exporter($spool),
			$spool['exporter_running'] ? 'green' : '');
		if (isset($state['last_success'])) {
			$this->fact('', 'last batch ' . self::ago($state['last_success']) . ', '
				. Format::plural((int) ($state['traces'] ?? 0), 'trace') . ' and '
				. Format::plural((int) ($state['spans'] ?? 0), 'span') . ' since it started, '
				. Format::bytes((int) ($state['waiting'] ?? 0)) . ' waiting');
		}
		if ($spool['problem'] !== null) {
			$this->fact('Problem', $spool['problem'], 'error');
		}
		if (isset($state['last_error'])) {
			$this->fact('Last error', $state['last_error'] . ' (' . self::ago($state['last_error_time'] ?? '0')
				. ')', isset($state['problem']) ? '' : 'dim');
		}
	}

	/** @param array<string, mixed> $spool */
	private function exporter(array $spool): string
	{
		$state = (array) $spool['state'];
		$pid = (int) ($state['pid'] ?? 0);
		if ($pid === 0) {
			return $spool['problem'] === null ? 'has not run yet; the first request starts it' : 'has not come up yet';
		}
		if ($spool['exporter_running']) {
			return "running, pid $pid, since " . $this->context->clock->format(
				(int) ($state['started'] ?? 0) * 1_000_000_000, 'Y-m-d H:i:s');
		}
		$when = self::ago($state['stopped'] ?? $state['updated'] ?? '0');
		return isset($state['stopped']) ? "not running: it left in order $when; the next request starts it"
			: "not running: last heard of $when; the next request starts it";
	}

	/** @param array<string, int> $counters */
	private function printCounters(array $counters): void
	{
		if (isset($counters['traces_started'])) {
			$this->fact('Recorded', Format::plural($counters['traces_kept'] ?? 0, 'trace') . ' kept of '
				. Format::count($counters['traces_started']) . ' started, '
				. Format::plural($counters['spans_kept'] ?? 0, 'span') . ' kept of '
				. Format::count($counters['spans_started'] ?? 0));
		}
		if (isset($counters['collector_spans_sent'])) {
			$this->fact('Sent', Format::plural($counters['collector_spans_sent'], 'span') . ' to collectors');
		}
		foreach (['traces_sampled_out' => 'not wanted by the sampler', 'traces_rate_limited' => 'beyond opa.rate_limit']
			as $name => $text) {
			if (($counters[$name] ?? 0) > 0) {
				$this->fact('Sampling', Format::plural($counters[$name], 'trace') . " $text");
			}
		}
		$failed = $counters['exporter_failed'] ?? 0;
		if ($failed > 0) {
			$this->fact('Start', 'the exporter could not be started ' . Format::plural($failed, 'time')
				. '; what is recorded meanwhile waits in the journals', 'yellow');
		}
		$pruned = $counters['store_traces_pruned'] ?? 0;
		if ($pruned > 0) {
			$this->fact('Pruned', Format::plural($pruned, 'trace') . ', too old or too much for the store');
		}
	}

	/**
	 * @param array<string, int> $losses
	 * @param list<array<string, mixed>> $spools
	 */
	private function printLosses(array $losses, array $spools): void
	{
		$lines = [];
		foreach (array_intersect_key(self::LOSSES, $losses) as $name => $text) {
			$lines[] = Format::count($losses[$name]) . " $text";
		}
		foreach (array_filter(array_column($spools, 'uncounted')) as $why) {
			$lines[] = ($lines === [] ? 'not known: ' : 'and more, perhaps: ') . $why;
		}
		$label = 'Lost';
		foreach ($lines as $line) {
			$this->fact($label, $line, 'yellow');
			$label = '';
		}
		if ($lines === []) {
			$this->fact($label, $spools === [] ? 'nothing that is known of: there is no spool' : 'nothing');
		}
	}

	private function fact(string $label, string $text, string $style = ''): void
	{
		$out = $this->context->out;
		foreach (Text::wrap(Text::safe($text), max(30, $out->columns - self::LABEL)) as $line) {
			$out->line($out->paint('dim', Text::fit($label, self::LABEL)) . $out->paint($style, $line));
			$label = '';
		}
	}

	private static function ago(string $seconds): string
	{
		return Format::ago(time() - (int) $seconds);
	}
}
