<?php
/*
 * The shop's front controller: `php -S 127.0.0.1:8080 -t public public/index.php`. It runs with and
 * without opa; what it tells opa goes through src/Trace.php.
 */
declare(strict_types=1);

namespace Shop;

spl_autoload_register(static function (string $class): void {
	if (str_starts_with($class, __NAMESPACE__ . '\\')) {
		require dirname(__DIR__) . '/src/' . substr($class, strlen(__NAMESPACE__) + 1) . '.php';
	}
});

$routes = [
	'GET /' => 'products',
	'GET /product/{id}' => 'product',
	'GET /cart' => 'cart',
	'POST /cart' => 'addToCart',
	'POST /checkout' => 'checkout',
	'POST /payment' => 'payment',
	'GET /stock' => 'stock',
	'GET /invoice/{id}' => 'invoice',
	'GET /report' => 'report',
];

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/';
foreach ($routes as $route => $action) {
	[$method, $template] = explode(' ', $route);
	$pattern = '#^' . str_replace('\{id\}', '(\d+)', preg_quote($template, '#')) . '$#';
	if ($method === $_SERVER['REQUEST_METHOD'] && preg_match($pattern, $path, $match)) {
		Trace::route($method, $template);
		$pages = new Pages(new View(), new Database(Database::defaultDirectory()));
		$pages->$action(...array_map('intval', array_slice($match, 1)));
		return;
	}
}

http_response_code(404);
(new View())->show('message', ['title' => 'Not found', 'text' => 'There is no such page.']);
