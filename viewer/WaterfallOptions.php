<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What a waterfall shows beside the spans. */
final class WaterfallOptions
{
	public function __construct(
		public readonly bool $tags = false,
		public readonly bool $events = false,
		public readonly bool $self = false,
		public readonly bool $all = false,
	) {
	}
}
