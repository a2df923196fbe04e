# Lines NAME=VALUE, and above them the variables that begin with `prefix`, as a file of Hadoop's.
function escaped(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}
function property(variable) {
	variable = substr(variable, length(prefix) + 1)
	gsub(/___/, "-", variable)
	gsub(/__/, "%", variable)
	gsub(/_/, ".", variable)
	gsub(/%/, "_", variable)
	return variable
}
$0 != "" {
	cut = index($0, "=")
	value[substr($0, 1, cut - 1)] = substr($0, cut + 1)
}
END {
	for (name in ENVIRON)
		if (index(name, prefix) == 1) {
			value[property(name)] = ENVIRON[name]
			if (ENVIRON[name] ~ /[\001-\010\013\014\016-\037]/)
				bad = bad " " name
		}
	print "<?xml version=\"1.0\"?>\n<configuration>"
	for (name in value)
		printf "<property><name>%s</name><value>%s</value></property>\n", name, escaped(value[name])
	print "</configuration>"
	if (bad != "")
		print "its environment: a control character is in the value of" bad >"/dev/stderr"
	exit bad != ""
}
