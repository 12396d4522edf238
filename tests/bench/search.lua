-- The search that wrk repeats. Servers give each an id of its own.
wrk.method = "POST"
wrk.body = "phrase=life%2C+the+universe%2C+and+everything%21&letters=aeiou"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
