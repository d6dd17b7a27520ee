-- Asks the rows of a file in turn, and keeps every distinct answer with how often it came.
-- BENCH_BODIES: a file with one body a line.
-- BENCH_ANSWERS: where the answers go, two lines each: "number status times", and the body.

local threads, requests, at, seen = {}, {}, 0, {}

function setup(thread) threads[#threads + 1] = thread end

function init()
  local number = 0
  for body in io.lines(os.getenv("BENCH_BODIES")) do
    number = number + 1
    local headers = { ["Content-Type"] = "application/json", ["X-Request-Id"] = tostring(number) }
    requests[number] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

local function write()
  local file = assert(io.open(os.getenv("BENCH_ANSWERS"), "w"))
  for number, statuses in pairs(seen) do
    for status, bodies in pairs(statuses) do
      for body, times in pairs(bodies) do
        file:write(number, " ", status, " ", times, "\n", (body:gsub("\n", " ")), "\n")
      end
    end
  end
  file:close()
  return "written"
end

if os.getenv("BENCH_ANSWERS") then
  function response(status, headers, body)
    local number = headers["X-Request-Id"] or headers["x-request-id"] or "-"
    local statuses = seen[number]
    if not statuses then
      statuses = {}
      seen[number] = statuses
    end
    local bodies = statuses[status]
    if not bodies then
      bodies = {}
      statuses[status] = bodies
    end
    bodies[body] = (bodies[body] or 0) + 1
  end

  -- `done` runs in another Lua state, which gets at strings of the thread's only: asking for this one writes the file.
  setmetatable(_G, { __index = function(_, name) if name == "answers_written" then return write() end end })

  function done()
    for _, thread in ipairs(threads) do thread:get("answers_written") end
  end
end
