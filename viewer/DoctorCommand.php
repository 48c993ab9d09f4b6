<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Goes the way of a trace from the extension to where it is kept, and says what is in its way. */
final class DoctorCommand implements Command
{
	private const LEVEL = 6;
	private const TOPIC = 11;

	/** So many other users at most: anybody can make directories that look like theirs. */
	private const NAMED = 8;
	private const STYLES = [Finding::OK => 'green', Finding::WARN => 'yellow', Finding::FAIL => 'error'];

	public static function spec(): Spec
	{
		return new Spec('doctor', '', 'checks the whole way of a trace, and says what to do', [
			new Option('json', '', 'one JSON object'),
		], [
			'opa doctor' => 'extension, settings, spool, exporter, collector or store, clock',
			'opa doctor --user www-data' => "as root: PHP-FPM's",
			'opa doctor --json | jq .ok' => 'for a monitor; the exit code says it, too',
		]);
	}

	public function __construct(private readonly Options $options, Clock $clock)
	{
	}

	public function run(Context $context): int
	{
		$env = $context->env;
		$survey = new PhpSurvey($env);
		$probes = $survey->withOpa();
		$check = new WayOutCheck($env, $probes);
		$spools = $context->sources->spools();
		$findings = $survey->findings();
		foreach ($spools as $spool) {
			array_push($findings, ...$check->spool($spool));
		}
		array_push($findings, ...($spools === [] ? [$check->noSpool()] : []), ...$check->exporters());
		foreach ($spools as $spool) {
			$findings[] = $check->service($spool);
		}
		$endpoints = $this->endpoints($env, $survey, $spools);
		array_push($findings, ...$endpoints);
		if ($endpoints === []) {
			array_push($findings, ...$check->stores($spools));
		}
		$findings[] = ClockCheck::finding($env->root);
		$code = $this->report($context, $findings);
		$this->nameOthers($context);
		return $code;
	}

	/** Each user's spool, store and exporter are their own. To root it has been said already. */
	private function nameOthers(Context $context): void
	{
		$env = $context->env;
		$places = new Places($env);
		$others = $env->user->uid === 0 || $env->relay !== null || $this->options->has('spool') ? [] : $places->others($places->spools());
		foreach (array_slice(array_keys($others), 0, self::NAMED) as $uid) {
			$who = Identity::byUid($uid);
			$context->note("this was about {$env->user->name}; for $who->name:  " . $env->commandAs($who));
		}
	}

	/**
	 * Those that journals are for, and that of the settings: each once.
	 * @param list<Spool> $spools
	 * @return list<Finding>
	 */
	private function endpoints(Environment $env, PhpSurvey $survey, array $spools): array
	{
		$findings = [];
		$definitions = [];
		foreach ($spools as $spool) {
			$known = $spool->destinations();
			foreach ($spool->currentDestinations() as $id) {
				if (($known[$id]['type'] ?? '') === 'otlp') {
					$url = Spool::withoutCredentials($known[$id]['endpoint'] ?? '');
					$definitions[$url] = $spool->definition($id);
				}
			}
		}
		foreach ($survey->withOpa() as $probe) {
			$definition = EndpointCheck::definitionOf($probe, $survey->environment($probe->path));
			if ($definition === null && $definitions === []) {
				$findings[] = Finding::warn('Endpoint', "$probe->sapi ($probe->path): $probe->collector can be asked as soon as something was recorded for it", 'send the server a request, then opa doctor again');
			} elseif ($definition !== null && $definition !== '') {
				$definitions[$probe->collector] ??= $definition;
			}
		}
		$exporter = (new Importer($env))->find() ?? ($survey->withOpa()[0]->exporter ?? '');
		if ($definitions !== [] && !is_executable($exporter)) {
			return [Finding::fail('Endpoint', 'nobody can ask it: opa-exporter was not found', 'see the line Exporter')];
		}
		foreach ($definitions as $definition) {
			$findings[] = (new EndpointCheck($exporter))->ask($definition);
		}
		return $findings;
	}

	/** @param list<Finding> $findings */
	private function report(Context $context, array $findings): int
	{
		$count = array_count_values(array_map(static fn (Finding $f): string => $f->level, $findings));
		$isWell = !isset($count[Finding::FAIL]);
		if ($this->options->has('json')) {
			$context->out->json(['ok' => $isWell, 'version' => Application::VERSION, 'user' => $context->env->user->name,
				'checks' => array_map(static fn (Finding $f): array => ['level' => strtolower($f->level), 'topic' => $f->topic,
					'text' => $f->text, 'remedy' => $f->remedy === '' ? null : $f->remedy], $findings)], true);
			return $isWell ? 0 : 1;
		}
		foreach ($findings as $finding) {
			$this->print($context->out, $finding);
		}
		$context->out->line(Format::plural(count($findings), 'check') . ', ' . Format::plural($count[Finding::WARN] ?? 0, 'warning')
			. ', ' . Format::plural($count[Finding::FAIL] ?? 0, 'failure'));
		return $isWell ? 0 : 1;
	}

	private function print(Output $out, Finding $finding): void
	{
		$indent = self::LEVEL + self::TOPIC;
		$width = max(30, $out->columns - $indent);
		$head = $out->paint(self::STYLES[$finding->level], Text::fit($finding->level, self::LEVEL))
			. $out->paint('dim', Text::fit($finding->topic, self::TOPIC));
		foreach (Text::wrap(Text::safe($finding->text), $width) as $line) {
			$out->line($head . $line);
			$head = str_repeat(' ', $indent);
		}
		foreach ($finding->remedy === '' ? [] : Text::wrap('do: ' . Text::safe($finding->remedy), $width) as $line) {
			$out->line($head . $out->paint('bold', $line));
		}
	}
}
