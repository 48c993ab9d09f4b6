<?php
/* shop_visit.php BASE-URL: some thirty requests to the example shop, as a few visitors make them. */
declare(strict_types=1);

$base = $argv[1];
$cookies = '';

$request = static function (string $method, string $path, array $form = []) use ($base, &$cookies): int {
	$context = stream_context_create(['http' => [
		'method' => $method,
		'header' => "Content-Type: application/x-www-form-urlencoded\r\nCookie: $cookies\r\n",
		'content' => http_build_query($form),
		'follow_location' => 0,
		'ignore_errors' => true,
		'timeout' => 20,
	]]);
	$answer = @fopen($base . $path, 'r', false, $context);
	if ($answer === false) {
		fwrite(STDERR, "no answer to $method $path\n");
		exit(1);
	}
	$headers = stream_get_meta_data($answer)['wrapper_data'];
	stream_get_contents($answer);
	foreach ($headers as $header) {
		if (preg_match('/^Set-Cookie: ([^;]+)/i', $header, $match)) {
			$cookies = $match[1];
		}
	}
	$status = (int) explode(' ', $headers[0])[1];
	printf("  %3d  %s %s\n", $status, $method, $path);
	return $status;
};

foreach ([[3, 2, 'mug'], [5, 1, 'stool'], [8, 1, 'clock']] as [$product, $quantity, $search]) {
	$cookies = '';
	$request('GET', '/');
	$request('GET', "/?q=$search");
	$request('GET', "/product/$product");
	$request('POST', '/cart', ['product' => $product, 'quantity' => $quantity]);
	$request('POST', '/cart', ['product' => 6, 'quantity' => 1]);
	$request('GET', '/cart');
	$request('POST', '/checkout');
}
$request('GET', '/product/10');
$request('POST', '/cart', ['product' => 10, 'quantity' => 1]);
$request('POST', '/checkout');
$request('GET', '/product/99');
$request('GET', '/stock');
$request('GET', '/invoice/1');
$request('GET', '/report');
$request('GET', '/nowhere');
$request('GET', '/');
